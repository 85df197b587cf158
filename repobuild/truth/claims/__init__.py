"""Check claims, one function for each claim of `structure.CLAIMS`.

In: a `Subject` and the claimed text, or a `DeferredClaim` and the `TreeIndex`. Out: ""
when the claim holds, else what the tree says. The table at the end of each module maps
claims to their checks: `LOCAL_CLAIMS`, `SIGNATURE_CLAIMS`, `CODE_CLAIMS` and
`COMPLETION_CLAIMS` rest on the sample's own file, `RELATION_CLAIMS` and
`PROJECT_CLAIMS` on all files; `change_claims.py` checks samples about commits as a
whole, `plans/` those about families. `list_claims.py` and `prose_match.py` parse lists
and compare prose for all of them. Read `local_claims.py` first.
"""
