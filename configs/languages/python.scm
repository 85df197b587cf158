; What repobuild reads from Python's syntax tree.
;
; First half: definitions, run as matches, so that the parts of one definition stay
; together. Second half, after the line of dashes: sites, run as captures, which is half
; the price; whose they are follows from where they stand.

(function_definition
  name: (identifier) @name
  parameters: (parameters) @parameters
  return_type: (type)? @returns
  body: (block) @body
  (#set! kind "function")) @definition

(class_definition
  name: (identifier) @name
  superclasses: (argument_list)? @bases
  body: (block) @body
  (#set! kind "class")) @definition

(assignment
  left: [(identifier) (attribute)] @left
  type: (type)? @type
  right: (_)? @right
  (#set! kind "assignment"))

(assignment
  left: (subscript) @left
  right: (_) @right
  (#set! kind "item"))

(assignment
  left: [(pattern_list) (tuple_pattern)] @left
  right: (_) @right
  (#set! kind "unpacking"))

(named_expression
  name: (identifier) @left
  value: (_) @right
  (#set! kind "assignment"))

(with_item
  value: (as_pattern
    (_) @right
    alias: (as_pattern_target (identifier) @left))
  (#set! kind "with"))

(for_statement
  left: (_) @left
  right: (_) @right
  (#set! kind "loop"))

(for_in_clause
  left: (_) @left
  right: (_) @right
  (#set! kind "loop"))

(except_clause
  value: (as_pattern
    [(identifier) (attribute)] @right
    alias: (as_pattern_target (identifier) @left))
  (#set! kind "caught"))

; -------------------------------------------------------------------------- sites

(call function: (_) @call)
(attribute) @attribute
(comment) @comment
(string) @string
(decorator (expression) @decorator)
[(import_statement) (import_from_statement) (future_import_statement)] @import

; Decision points as radon counts them, one each. Nothing inside an assert is counted
; beyond the assert itself, and neither is the guard of a case.
[
  (if_statement)
  (elif_clause)
  (for_statement)
  (while_statement)
  (except_clause)
  (boolean_operator)
  (conditional_expression)
  (for_in_clause)
] @branch
(for_statement alternative: (else_clause) @branch)
(while_statement alternative: (else_clause) @branch)
(try_statement (else_clause) @branch)
(list_comprehension (if_clause) @branch)
(set_comprehension (if_clause) @branch)
(dictionary_comprehension (if_clause) @branch)
(generator_expression (if_clause) @branch)
(assert_statement) @assert
(case_clause) @case
"_" @wildcard ; of a pattern; the name `_` is an identifier

; Names that become something unknown. They hide what else the name could mean.
(pattern_list (identifier) @bound)
(tuple_pattern (identifier) @bound)
(list_pattern (identifier) @bound)
(pattern_list (list_splat_pattern (identifier) @bound))
(tuple_pattern (list_splat_pattern (identifier) @bound))
(list_pattern (list_splat_pattern (identifier) @bound))
(lambda_parameters (list_splat_pattern (identifier) @bound))
(as_pattern_target (identifier) @bound)
(as_pattern_target [(tuple (identifier) @bound) (list (identifier) @bound)])
(as_pattern_target [
  (tuple [(tuple (identifier) @bound) (list (identifier) @bound)])
  (list [(tuple (identifier) @bound) (list (identifier) @bound)])
  (tuple (list_splat (identifier) @bound))
  (list (list_splat (identifier) @bound))
])
(lambda_parameters (identifier) @bound)
(lambda_parameters (default_parameter name: (identifier) @bound))
(lambda_parameters (dictionary_splat_pattern (identifier) @bound))
(case_pattern (dotted_name . (identifier) @bound .))
(case_pattern (as_pattern (identifier) @bound))
(union_pattern (dotted_name . (identifier) @bound .))
(splat_pattern (identifier) @bound)
(keyword_pattern (identifier) . (dotted_name . (identifier) @bound .))
(type_alias_statement
  left: (type [(identifier) @bound (generic_type . (identifier) @bound)]))

; Type parameters are bound in all that is within the definition.
(_
  name: (identifier)
  type_parameters: (type_parameter (type [
    (identifier) @type_parameter
    (splat_type (identifier) @type_parameter)
    (constrained_type . (type (identifier) @type_parameter))
  ])))

; These make a name local, even when nothing else binds it.
(augmented_assignment left: (identifier) @rebound)
(delete_statement (identifier) @rebound)
(delete_statement (expression_list (identifier) @rebound))
(delete_statement (expression_list (tuple (identifier) @rebound)))
(return_statement (_) @return)
(lambda) @lambda
(yield) @yield
(with_item value: (_) @entered)
(global_statement (identifier) @global)
(nonlocal_statement (identifier) @nonlocal)
