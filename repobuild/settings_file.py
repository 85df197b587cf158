"""The name of a repository's own settings; apart, so that it costs no import."""

FILE_NAME = "repobuild.toml"
