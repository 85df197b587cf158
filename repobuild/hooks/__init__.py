"""Build in the background after git's own commands: hooks, `wanted`, one builder.

    git merge --> the hook writes `wanted` --> one detached builder per repository

In comes a commit that a hook saw, out comes a built state; the user's git command never
waits for it and never fails because of it. Files in the state's folder:

    wanted         the newest commit that a hook saw, its git folder and its work tree
    building       the same of the commit that is being built: `wanted`, renamed
    builder.lock   held by the builder; the kernel frees it however the process ends
    builder.json   what the builder does and how its last build ended, for `status`
    hook.log       everything that the builds print
    hooked         empty: the repository uses hooks of a folder that others may use, too

Read first: hook.sh, then background.py.
"""
