; What repobuild reads from C++'s syntax tree; the captures are told in docs/languages.md.
; Definitions only: a method that is declared in a class and defined outside of it, as
; `A::f`, is the definition, named `A.f`.

(function_definition
  (type_qualifier)? @returns
  type: (_)? @returns
  declarator: [
    (function_declarator
      declarator: (_) @name
      parameters: (_) @parameters) @declarator
    (pointer_declarator
      (function_declarator
        declarator: (_) @name
        parameters: (_) @parameters) @declarator)
    (pointer_declarator
      (pointer_declarator
        (function_declarator
          declarator: (_) @name
          parameters: (_) @parameters) @declarator))
    (reference_declarator
      (function_declarator
        declarator: (_) @name
        parameters: (_) @parameters) @declarator)
  ]
  (field_initializer_list)? @body
  body: (_) @body
  (#set! kind "function")) @definition

(function_definition
  declarator: (operator_cast) @name
  body: (_) @body
  (#set! kind "function")) @definition

([
  (class_specifier name: (_) @name (base_class_clause)? body: (_) @body)
  (struct_specifier name: (_) @name (base_class_clause)? body: (_) @body)
  (union_specifier name: (_) @name body: (_) @body)
  (enum_specifier name: (_) @name body: (_) @body)
] @definition
  (#set! kind "class"))

([
  (class_specifier
    name: (_) @name
    (base_class_clause
      [(type_identifier) (template_type) (qualified_identifier)] @bases))
  (struct_specifier
    name: (_) @name
    (base_class_clause
      [(type_identifier) (template_type) (qualified_identifier)] @bases))
] @definition
  (#set! kind "class"))

(type_definition
  type: [
    (struct_specifier !name body: (_) @body)
    (union_specifier !name body: (_) @body)
    (enum_specifier !name body: (_) @body)
  ]
  declarator: (type_identifier) @name
  (#set! kind "class")) @definition

(namespace_definition
  name: (_) @name
  body: (_) @body
  (#set! kind "namespace")) @definition

; -------------------------------------------------------------------------- sites

[(template_declaration) (type_definition)] @wrap
(comment) @comment
[(string_literal) (raw_string_literal) (char_literal) (system_lib_string)] @string
(preproc_include path: (_) @import)
(call_expression function: (_) @call)
(new_expression type: (_) @call)

; Where a name is bound, and to what.
(declaration declarator: (identifier) @local)
(init_declarator declarator: (identifier) @local)
(pointer_declarator declarator: (identifier) @local)
(array_declarator declarator: (identifier) @local)
(parameter_declaration declarator: (identifier) @local)
(reference_declarator (identifier) @local)
(optional_parameter_declaration declarator: (identifier) @local)
(for_range_loop declarator: (identifier) @local)
(field_declaration declarator: (field_identifier) @field)
(pointer_declarator declarator: (field_identifier) @field)

[
  (if_statement)
  (for_statement)
  (for_range_loop)
  (while_statement)
  (do_statement)
  (catch_clause)
  (conditional_expression)
] @branch
(case_statement "case") @branch
(binary_expression operator: ["&&" "||"]) @branch
