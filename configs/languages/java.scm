; What repobuild reads from Java's syntax tree; the captures are told in docs/languages.md.

(class_declaration
  name: (identifier) @name
  superclass: (superclass (_) @bases)?
  body: (class_body) @body
  (#set! kind "class")) @definition

(interface_declaration
  name: (identifier) @name
  body: (_) @body
  (#set! kind "class")) @definition

(enum_declaration
  name: (identifier) @name
  body: (_) @body
  (#set! kind "class")) @definition

(record_declaration
  name: (identifier) @name
  parameters: (formal_parameters) @parameters
  body: (_) @body
  (#set! kind "class")) @definition

(annotation_type_declaration
  name: (identifier) @name
  body: (_) @body
  (#set! kind "class")) @definition

([
  (class_declaration name: (identifier) @name interfaces: (_ (type_list (_) @bases)))
  (enum_declaration name: (identifier) @name interfaces: (_ (type_list (_) @bases)))
  (record_declaration name: (identifier) @name interfaces: (_ (type_list (_) @bases)))
  (interface_declaration
    name: (identifier) @name
    (extends_interfaces (type_list (_) @bases)))
] @definition
  (#set! kind "class"))

(method_declaration
  type: (_) @returns
  name: (identifier) @name
  parameters: (formal_parameters) @parameters
  body: (block)? @body
  (#set! kind "function")) @definition

(constructor_declaration
  name: (identifier) @name
  parameters: (formal_parameters) @parameters
  body: (_) @body
  (#set! kind "function")) @definition

(compact_constructor_declaration
  name: (identifier) @name
  body: (_) @body
  (#set! kind "function")) @definition

(annotation_type_element_declaration
  type: (_) @returns
  name: (identifier) @name
  (#set! kind "function")) @definition

; -------------------------------------------------------------------------- sites

(modifiers [(annotation) (marker_annotation)] @attribute)
[(line_comment) (block_comment)] @comment
[(string_literal) (character_literal)] @string
(import_declaration [(scoped_identifier) (identifier)] @import)
(method_invocation) @invocation
(object_creation_expression type: (_) @call)
(explicit_constructor_invocation constructor: (_) @call)

(package_declaration (_) @package)

; Where a name is bound, and to what.
(formal_parameter name: (identifier) @local)
(local_variable_declaration
  declarator: (variable_declarator name: (identifier) @local))
(enhanced_for_statement name: (identifier) @local)
(resource name: (identifier) @local)
(catch_formal_parameter name: (identifier) @local)
(lambda_expression parameters: (identifier) @local)
(inferred_parameters (identifier) @local)
(field_declaration declarator: (variable_declarator name: (identifier) @field))

[
  (if_statement)
  (for_statement)
  (enhanced_for_statement)
  (while_statement)
  (do_statement)
  (catch_clause)
  (ternary_expression)
] @branch
(switch_label "case") @branch
(binary_expression operator: ["&&" "||"]) @branch
