; What repobuild reads from Rust's syntax tree; the captures are told in docs/languages.md.

(function_item
  name: (identifier) @name
  parameters: (parameters) @parameters
  return_type: (_)? @returns
  body: (block) @body
  (#set! kind "function")) @definition

(function_signature_item
  name: (identifier) @name
  parameters: (parameters) @parameters
  return_type: (_)? @returns
  (#set! kind "function")) @definition

(macro_definition
  name: (identifier) @name
  (#set! kind "function")) @definition

([
  (struct_item name: (type_identifier) @name body: (_)? @body)
  (union_item name: (type_identifier) @name body: (_)? @body)
  (enum_item name: (type_identifier) @name body: (_)? @body)
] @definition
  (#set! kind "class"))

(trait_item
  name: (type_identifier) @name
  body: (_) @body
  (#set! kind "class")) @definition

(trait_item
  name: (type_identifier) @name
  bounds: (trait_bounds (_) @bases)
  (#set! kind "class")) @definition

(impl_item
  trait: (_)? @bases
  type: (_) @name
  body: (_) @body
  (#set! kind "impl")) @definition

(mod_item
  name: (identifier) @name
  body: (_) @body
  (#set! kind "namespace")) @definition

; -------------------------------------------------------------------------- sites

(attribute_item) @attribute
[(line_comment) (block_comment)] @comment
[(string_literal) (raw_string_literal) (char_literal)] @string
(use_declaration argument: (_) @import)
(mod_item !body name: (identifier) @import)
(extern_crate_declaration name: (_) @import)
(call_expression function: (_) @call)
(macro_invocation) @invocation

; Where a name is bound, and to what.
(parameter pattern: (identifier) @local)
(let_declaration pattern: (identifier) @local)
(closure_parameters (identifier) @local)
(tuple_pattern (identifier) @local)
(tuple_struct_pattern (identifier) @local)
(mut_pattern (identifier) @local)
(for_expression pattern: (identifier) @local)
(match_pattern (identifier) @local)
(field_declaration name: (field_identifier) @field)

[
  (if_expression)
  (for_expression)
  (while_expression)
  (loop_expression)
  (match_arm)
  (try_expression)
] @branch
(binary_expression operator: ["&&" "||"]) @branch
