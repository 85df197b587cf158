; What repobuild reads from TypeScript's syntax tree, with and without JSX; the captures
; are told in docs/languages.md.

(function_declaration
  name: (identifier) @name
  parameters: (formal_parameters) @parameters
  return_type: (_)? @returns
  body: (_) @body
  (#set! kind "function")) @definition

(generator_function_declaration
  name: (identifier) @name
  parameters: (formal_parameters) @parameters
  return_type: (_)? @returns
  body: (_) @body
  (#set! kind "function")) @definition

; An overload, or a function that is declared and lies elsewhere.
(function_signature
  name: (identifier) @name
  parameters: (formal_parameters) @parameters
  return_type: (_)? @returns
  (#set! kind "function")) @definition

; const f = (a: T): U => ...; const f = function (a) { ... }
(variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function
      parameters: (formal_parameters)? @parameters
      parameter: (identifier)? @parameters
      return_type: (_)? @returns
      body: (_) @body)
    (function_expression
      parameters: (_) @parameters
      return_type: (_)? @returns
      body: (_) @body)
    (generator_function
      parameters: (_) @parameters
      return_type: (_)? @returns
      body: (_) @body)
  ]
  (#set! kind "function")) @definition @definition

; exports.f = function (a) { ... }; this.f = ...
((expression_statement
  (assignment_expression
    left: (member_expression object: (_) @_holder property: (_) @name)
    right: [
      (arrow_function
        parameters: (formal_parameters) @parameters
        return_type: (_)? @returns
        body: (_) @body)
      (function_expression
        parameters: (_) @parameters
        return_type: (_)? @returns
        body: (_) @body)
    ])
  (#set! kind "function")) @definition
  (#match? @_holder "^(exports|module[.]exports|this)$"))

; app.f = function (a) { ... }, a method of what it is put into.
((expression_statement
  (assignment_expression
    left: (member_expression object: (identifier) @scope property: (_) @name)
    right: [
      (arrow_function
        parameters: (formal_parameters) @parameters
        return_type: (_)? @returns
        body: (_) @body)
      (function_expression
        parameters: (_) @parameters
        return_type: (_)? @returns
        body: (_) @body)
    ])
  (#set! kind "function")) @definition
  (#not-match? @scope "^(exports|module)$"))

; A.prototype.f = function (a) { ... }
((expression_statement
  (assignment_expression
    left: (member_expression
      object: (member_expression object: (identifier) @scope property: (_) @_holder)
      property: (_) @name)
    right: [
      (arrow_function
        parameters: (formal_parameters) @parameters
        return_type: (_)? @returns
        body: (_) @body)
      (function_expression
        parameters: (_) @parameters
        return_type: (_)? @returns
        body: (_) @body)
    ])
  (#set! kind "function")) @definition
  (#eq? @_holder "prototype"))

([
  (class_declaration
    name: (type_identifier) @name
    (class_heritage (extends_clause value: (_) @bases)?)?
    body: (class_body) @body)
  (abstract_class_declaration
    name: (type_identifier) @name
    (class_heritage (extends_clause value: (_) @bases)?)?
    body: (class_body) @body)
] @definition
  (#set! kind "class"))

([
  (class_declaration
    name: (type_identifier) @name
    (class_heritage (implements_clause (_) @bases)))
  (abstract_class_declaration
    name: (type_identifier) @name
    (class_heritage (implements_clause (_) @bases)))
] @definition
  (#set! kind "class"))

(interface_declaration
  name: (type_identifier) @name
  (extends_type_clause type: (_) @bases)?
  body: (_) @body
  (#set! kind "class")) @definition

(enum_declaration
  name: (identifier) @name
  body: (_) @body
  (#set! kind "class")) @definition

(type_alias_declaration
  name: (type_identifier) @name
  value: (object_type) @body
  (#set! kind "class")) @definition

([
  (internal_module name: [(identifier) (nested_identifier)] @name body: (_) @body)
  (module name: [(identifier) (nested_identifier)] @name body: (_) @body)
] @definition
  (#set! kind "namespace"))

(method_definition
  name: [(property_identifier) (private_property_identifier)] @name
  parameters: (formal_parameters) @parameters
  return_type: (_)? @returns
  body: (statement_block) @body
  (#set! kind "function")) @definition

([
  (method_signature
    name: (property_identifier) @name
    parameters: (formal_parameters) @parameters
    return_type: (_)? @returns)
  (abstract_method_signature
    name: (property_identifier) @name
    parameters: (formal_parameters) @parameters
    return_type: (_)? @returns)
] @definition
  (#set! kind "function"))

(public_field_definition
  name: [(property_identifier) (private_property_identifier)] @name
  value: (arrow_function
    parameters: (formal_parameters) @parameters
    return_type: (_)? @returns
    body: (_) @body)
  (#set! kind "function")) @definition

; -------------------------------------------------------------------------- sites

[(export_statement) (ambient_declaration)] @wrap
[
  (lexical_declaration . (variable_declarator) .)
  (variable_declaration . (variable_declarator) .)
] @wrap
(decorator) @attribute
(comment) @comment
[(string) (template_string) (regex)] @string
(import_statement source: (string) @import)
(import_require_clause source: (string) @import)
(export_statement source: (string) @import)
((call_expression
  function: (identifier) @_require
  arguments: (arguments . (string) @import .))
  (#eq? @_require "require"))
(call_expression function: (_) @call)
(new_expression constructor: (_) @call)

; What a file gives another name; it is read as text.
(export_statement) @export
(expression_statement
  (assignment_expression left: (member_expression) @_exports) @export
  (#match? @_exports "^(module[.])?exports([.]|$)"))

; Where a name is bound: a call of it means that, and nothing outside.
(variable_declarator name: (identifier) @local)
(shorthand_property_identifier_pattern) @local
(pair_pattern value: (identifier) @local)
(array_pattern (identifier) @local)
(rest_pattern (identifier) @local)
(assignment_pattern left: (identifier) @local)
(required_parameter pattern: (identifier) @local)
(optional_parameter pattern: (identifier) @local)
(arrow_function parameter: (identifier) @local)
(catch_clause parameter: (identifier) @local)
(for_in_statement left: (identifier) @local)
(public_field_definition
  name: [(property_identifier) (private_property_identifier)] @field)
(property_signature name: (property_identifier) @field)

[
  (if_statement)
  (for_statement)
  (for_in_statement)
  (while_statement)
  (do_statement)
  (switch_case)
  (catch_clause)
  (ternary_expression)
] @branch
(binary_expression operator: ["&&" "||" "??"]) @branch
