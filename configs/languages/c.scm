; What repobuild reads from C's syntax tree; the captures are told in docs/languages.md.
; Definitions only: a prototype says nothing that its function does not.

(function_definition
  (type_qualifier)? @returns
  type: (_) @returns
  declarator: [
    (function_declarator
      declarator: (identifier) @name
      parameters: (_) @parameters) @declarator
    (pointer_declarator
      (function_declarator
        declarator: (identifier) @name
        parameters: (_) @parameters) @declarator)
    (pointer_declarator
      (pointer_declarator
        (function_declarator
          declarator: (identifier) @name
          parameters: (_) @parameters) @declarator))
  ]
  body: (_) @body
  (#set! kind "function")) @definition

([
  (struct_specifier name: (type_identifier) @name body: (_) @body)
  (union_specifier name: (type_identifier) @name body: (_) @body)
  (enum_specifier name: (type_identifier) @name body: (_) @body)
] @definition
  (#set! kind "class"))

; typedef struct { ... } name;
(type_definition
  type: [
    (struct_specifier !name body: (_) @body)
    (union_specifier !name body: (_) @body)
    (enum_specifier !name body: (_) @body)
  ]
  declarator: (type_identifier) @name
  (#set! kind "class")) @definition

; -------------------------------------------------------------------------- sites

(type_definition) @wrap
(comment) @comment
[(string_literal) (char_literal) (system_lib_string)] @string
(preproc_include path: (_) @import)
(call_expression function: (_) @call)

; Where a name is bound, and to what.
(declaration declarator: (identifier) @local)
(init_declarator declarator: (identifier) @local)
(pointer_declarator declarator: (identifier) @local)
(array_declarator declarator: (identifier) @local)
(parameter_declaration declarator: (identifier) @local)
(field_declaration declarator: (field_identifier) @field)
(pointer_declarator declarator: (field_identifier) @field)

[
  (if_statement)
  (for_statement)
  (while_statement)
  (do_statement)
  (conditional_expression)
] @branch
(case_statement "case") @branch
(binary_expression operator: ["&&" "||"]) @branch
