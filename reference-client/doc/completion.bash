# SPDX-License-Identifier: MIT
# Completion of phxspec-client's options and commands, for bash.
_phxspec_client() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $previous in
    --transport) COMPREPLY=($(compgen -W 'websocket longpoll' -- "$current")) ;;
    --vsn) COMPREPLY=($(compgen -W '1.0.0 2.0.0' -- "$current")) ;;
    --token-in) COMPREPLY=($(compgen -W 'query header both' -- "$current")) ;;
    --ca-file | --token-file)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    --param | --params | --token | --header | --fallback | --timeout | --connect-timeout | --heartbeat | \
        --poll-timeout | --reconnect | --rejoin) ;; # nobody knows them
    *)
        if [[ $current == -* ]]; then
            COMPREPLY=($(compgen -W '--param --params --token --token-file --header --vsn --transport --fallback
                --token-in --ca-file --insecure --retry --timeout --connect-timeout --heartbeat --poll-timeout
                --reconnect --rejoin --json --raw --driver --help --version' -- "$current"))
        else
            COMPREPLY=($(compgen -W 'join topic push send expect presence leave ping sleep disconnect connect
                watch ws:// wss:// http:// https://' -- "$current"))
            [[ ${COMPREPLY[0]-} == *:// ]] && compopt -o nospace 2>/dev/null # the host follows
        fi
        ;;
    esac
}
complete -F _phxspec_client phxspec-client
