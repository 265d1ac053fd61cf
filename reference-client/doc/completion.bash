# SPDX-License-Identifier: MIT
# Completion of phxspec-client's options and commands, for bash.
_phxspec_client() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $previous in
    --transport) COMPREPLY=($(compgen -W 'websocket longpoll' -- "$current")) ;;
    --vsn) COMPREPLY=($(compgen -W '1.0.0 2.0.0' -- "$current")) ;;
    --token-in) COMPREPLY=($(compgen -W 'query header both' -- "$current")) ;;
    --ca-file | --token-file) COMPREPLY=($(compgen -f -- "$current")) ;;
    *)
        if [[ $current == -* ]]; then
            COMPREPLY=($(compgen -W '--param --params --token --token-file --header --vsn --transport --fallback
                --token-in --ca-file --insecure --retry --timeout --connect-timeout --heartbeat --poll-timeout
                --reconnect --rejoin --json --raw --driver --help --version' -- "$current"))
        else
            COMPREPLY=($(compgen -W 'join topic push send expect presence leave ping sleep disconnect connect
                watch ws:// wss:// http:// https://' -- "$current"))
        fi
        ;;
    esac
}
complete -F _phxspec_client phxspec-client
