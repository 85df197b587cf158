"""Let people judge samples, and keep what they judged bad out of the dataset.

In: the dataset, and the verdicts in `.repobuild-review.jsonl` of the commit. Out: the
table `reviews`, which `dataset` reads, and the verdicts that `repobuild review` adds.
`verdict_file.py` has the format and what a verdict covers, `reviews.py` the rule,
`reading_list.py` chooses the samples to read, `review_sheet.py` writes them down for
people who read elsewhere. Start with `verdict_file.py`.
"""
