; What repobuild reads from Go's syntax tree; the captures are told in docs/languages.md.

(function_declaration
  name: (identifier) @name
  parameters: (parameter_list) @parameters
  result: (_)? @returns
  body: (block)? @body
  (#set! kind "function")) @definition

(method_declaration
  receiver: (parameter_list
    (parameter_declaration
      type: [
        (type_identifier) @scope
        (generic_type type: (type_identifier) @scope)
        (pointer_type (type_identifier) @scope)
        (pointer_type (generic_type type: (type_identifier) @scope))
        (parenthesized_type (_) @scope)
      ]))
  name: (field_identifier) @name
  parameters: (parameter_list) @parameters
  result: (_)? @returns
  body: (block)? @body
  (#set! kind "method")) @definition

(type_spec
  name: (type_identifier) @name
  type: (_)
  (#set! kind "class")) @definition

; What is embedded.
(type_spec
  name: (type_identifier) @name
  type: (struct_type
    (field_declaration_list (field_declaration !name type: (_) @bases)))
  (#set! kind "class")) @definition

(type_spec
  name: (type_identifier) @name
  type: (interface_type
    (type_elem . [(type_identifier) (qualified_type) (generic_type)] @bases .))
  (#set! kind "class")) @definition

(method_elem
  name: (field_identifier) @name
  parameters: (parameter_list) @parameters
  result: (_)? @returns
  (#set! kind "function")) @definition

; -------------------------------------------------------------------------- sites

; `type T struct` is a declaration with one spec, and its comment stands above it.
(type_declaration . (type_spec) .) @wrap
(comment) @comment
[(interpreted_string_literal) (raw_string_literal) (rune_literal)] @string
(import_spec path: (_) @import)
(call_expression function: (_) @call)

(package_clause (package_identifier) @package)

; Where a name is bound, and to what; a method's receiver is among them.
(parameter_declaration name: (identifier) @local)
(variadic_parameter_declaration name: (identifier) @local)
(short_var_declaration left: (expression_list (identifier) @local))
(var_spec name: (identifier) @local)
(range_clause left: (expression_list (identifier) @local))
(type_switch_statement alias: (expression_list (identifier) @local))
(field_declaration name: (field_identifier) @field)

[
  (if_statement)
  (for_statement)
  (expression_case)
  (type_case)
  (communication_case)
] @branch
(binary_expression operator: ["&&" "||"]) @branch
