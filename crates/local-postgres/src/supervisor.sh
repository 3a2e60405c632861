# Runs a server that must not outlive its owner.
#   $1: the signal that stops it
#   $2: the folder to remove when the owner is gone, or nothing
#   then: the server's command line
# Our stdin is a pipe whose other end only the owner holds: when it closes, however that came about, we stop the server.
signal=$1
folder=$2
shift 2
exec 3<&0 </dev/null

"$@" 3<&- &
server=$!

(
    exec >/dev/null 2>&1
    read -r _ <&3
    # From here on our own end counts as success: the owner is gone.
    trap 'exit 0' TERM
    kill -s "$signal" "$server"
    # One second at a time: a longer sleep would outlive this shell by as much.
    waited=0
    while kill -s 0 "$server"; do
        sleep 1 &
        wait $! # unlike a plain sleep it lets the trap in at once
        waited=$((waited + 1))
        [ "$waited" -eq 20 ] && kill -s QUIT "$server"
        [ "$waited" -eq 30 ] && kill -s KILL "$server"
    done
    exit 0
) &
watcher=$!
exec 3<&-

wait "$server"
status=$?
kill "$watcher" 2>/dev/null
# A server that failed by itself keeps its folder: the owner wants to read the log.
if wait "$watcher" && [ -n "$folder" ]; then
    rm -rf "$folder" 2>/dev/null
fi
exit "$status"
