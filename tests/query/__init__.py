"""Tests of `repobuild.query`: replies about a small repository."""
