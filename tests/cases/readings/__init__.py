"""What strict readers of samples found wrong, in answers of all kinds.

Each test is a sample that somebody would not have signed. Start with
`test_sound_samples.py`.
"""
