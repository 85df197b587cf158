#!/bin/sh
# repobuild hook, format 1: 7d2f4c51b0
# Written by `repobuild hook install`, taken away by `repobuild hook uninstall`.
# It writes down which commit is wanted, and leaves the building to another process.
# checksum: 
#@REPOSITORIES@
hook=@HOOK@
python=@PYTHON@
package=@PACKAGE@
shared=@SHARED@
exit_code=0

#@BEFORE@
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
before=$here/@SAVED@
if [ -f "$before" ] && [ -x "$before" ]; then
    @RUN@ "$@"
    exit_code=$?
fi

#@WANT@
# Prints nothing: what goes wrong here must not disturb the git command that called it.
want() {
    [ "${REPOBUILD-}" = 0 ] && return
    case $hook in
        post-merge) [ "${1-0}" = 1 ] && return ;; # a squash: HEAD has not moved
        post-checkout) # a file, or the same commit: neither moves HEAD
            [ "${3-1}" = 1 ] || return
            [ "${1-}" = "${2--}" ] && return
            ;;
    esac

    # One answer of three lines. A path with a line end in it fails the test of $common.
    line='
'
    found=$(git rev-parse --path-format=absolute --git-dir --git-common-dir \
        'HEAD^{commit}') || return
    commit=${found##*"$line"}
    found=${found%"$line"*}
    common=${found##*"$line"}
    folder=${found%"$line"*}
    [ -d "$common" ] || return

    for name in rebase-merge rebase-apply sequencer \
        MERGE_HEAD CHERRY_PICK_HEAD REVERT_HEAD BISECT_LOG; do
        [ -e "$folder/$name" ] || continue
        case $hook.$name in
            post-rewrite.rebase-*) # git removes the folder after this hook
                [ "${1-}" = rebase ] || return
                ;;
            post-merge.MERGE_HEAD) ;; # likewise
            post-commit.sequencer) # likewise, when the last commit is made
                case $(cat "$folder/sequencer/todo") in *"$line"*) return ;; esac
                ;;
            post-commit.CHERRY_PICK_HEAD | post-commit.REVERT_HEAD)
                [ -d "$folder/rebase-merge" ] && return
                ;;
            *) return ;;
        esac
    done

    # A state that came with an archive may hold links: none is followed.
    state=$common/repobuild
    [ -L "$state" ] && return
    [ -n "$shared" ] && [ ! -f "$state/hooked" ] && return
    if [ ! -x "$python" ]; then
        echo "repobuild: \"$python\" is gone, so nothing is built: run" \
            "\`repobuild hook install\` again, or \`repobuild hook uninstall\`" >&3
        return
    fi
    [ -d "$state" ] || mkdir "$state" || return
    [ -d "$state/wanted" ] && return
    fresh=$state/wanted.$$
    if [ -e "$fresh" ] || [ -L "$fresh" ]; then rm -f "$fresh"; fi
    if ! (set -C && printf '%s\n' "$commit" "$folder" "$(pwd -P)" >"$fresh") ||
        ! mv -f "$fresh" "$state/wanted"; then
        rm -f "$fresh"
        return
    fi
    log=$state/hook.log
    if [ -L "$log" ] || { [ -e "$log" ] && [ ! -f "$log" ]; }; then
        log=/dev/null
    fi
    # From /, so that a relative entry of PYTHONPATH leads nowhere.
    (
        cd / || exit
        if [ -n "$package" ]; then
            PYTHONPATH=$package${PYTHONPATH:+:$PYTHONPATH}
            export PYTHONPATH
        fi
        exec "$python" -P -m repobuild hook drain "$common"
    ) </dev/null >>"$log" 2>&1 3>&- &
}

want "$@" 3>&2 2>/dev/null
exit "$exit_code"
