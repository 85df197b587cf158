"""Serve the repository's adapter by an existing server, and follow the builds.

    state --> AdapterWatch --> server: load NAME@COMMIT, then move NAME@latest
    client --> Front (names, fill-in-the-middle) --> the server's own routes

In comes the adapter that HEAD uses, out comes an OpenAI-compatible endpoint. HTTP,
chat templates, generation and streaming are the server's: that of transformers in this
process (transformers_server.py), or vLLM as a child (vllm_server.py). The few lines in
front of both are front.py. Read first: served.py, then front.py.
"""
