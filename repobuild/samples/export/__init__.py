"""Write the dataset to a folder, in a format that training tools read.

In: a build with a current `dataset` table. Out: JSONL files in one of three chat
formats (`jsonl.py`), or Parquet files (`parquet.py`) with a dataset card
(`dataset_card.py`), and `metadata.json` with the counts. Every record names the path,
blob and lines of its sources (`sample_record.py`). Start with `dataset_files.py`.
"""
