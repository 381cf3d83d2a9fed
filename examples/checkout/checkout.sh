#!/bin/sh
# A checkout that goes on selling while Strongroom does not answer. docs/guide/operations.md says how it is used, and why so.
#
#   checkout.sh take NUMBER < record.json    sends a record, or seals it into the queue
#   checkout.sh deliver                      sends what waits, the oldest first; run it from a timer, and again after an outage
#
# STRONGROOM   where it answers, http://127.0.0.1:8700
# BEARER       a file with one line, `Authorization: Bearer srk_…`: a credential of the role intake
# QUEUE        a folder of this shop's own
# SEAL_TO      the certificate that is sealed to; all that `take` needs
# OPEN_WITH    its private key; only whoever delivers can read it
#
# Ends with 0: kept, or waiting. 1: refused, and will be refused again. 75: not now.
set -eu
umask 077
: "${STRONGROOM:=http://127.0.0.1:8700}" "${BEARER:?}" "${QUEUE:?}"
mkdir -p "$QUEUE/refused"

# Sends the record on stdin under its number. Gives the status; 000 when nobody answered.
# The number is the record's external_id, too: within 24 hours the same answer comes, and later it is written onto the same record.
send() {
    curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' --header "@$BEARER" \
        --header 'Content-Type: application/json' --header "Idempotency-Key: $1" \
        --data-binary @- "$STRONGROOM/v1/records" || :
}

# What a status means.
meaning() {
    case $1 in
        2??) echo kept ;;
        000 | 408 | 425 | 429 | 5??) echo later ;;
        *) echo refused ;;
    esac
}

waits() {
    for sealed in "$QUEUE"/*.cms; do
        if [ -e "$sealed" ]; then return 0; fi
    done
    return 1
}

# Seals what is on stdin. It is on the disk, whole, before anybody is told so.
queue() {
    for same in "$QUEUE"/*."$1".cms; do
        if [ -e "$same" ]; then return 0; fi # it was sent twice
    done
    part="$QUEUE/$1.part"
    openssl cms -encrypt -binary -aes-256-gcm -outform DER -out "$part" -recip "${SEAL_TO:?}"
    sync "$part"
    mv "$part" "$QUEUE/$(date -u +%s%N).$1.cms"
    sync "$QUEUE"
}

take() {
    case $1 in
        '' | *[!A-Za-z0-9_-]*) echo "a number has letters, digits, - and _" >&2; exit 2 ;;
    esac
    body=$(cat)
    # While something waits all that follows waits behind it: an order does not overtake its customer.
    if waits; then status=000; else status=$(printf %s "$body" | send "$1"); fi
    case $(meaning "$status") in
        kept) echo kept ;;
        later) printf %s "$body" | queue "$1"; echo waiting ;;
        refused) echo "refused: $status" >&2; exit 1 ;;
    esac
}

deliver() {
    exec 9>"$QUEUE/.lock"
    flock --nonblock 9 || exit 0 # somebody delivers
    ended=0
    for sealed in "$QUEUE"/*.cms; do
        [ -e "$sealed" ] || break
        number=${sealed%.cms}
        number=${number##*.}
        body=$(openssl cms -decrypt -binary -inform DER -in "$sealed" -inkey "${OPEN_WITH:?}")
        status=$(printf %s "$body" | send "$number")
        case $(meaning "$status") in
            kept) rm "$sealed"; echo "$number kept" ;;
            later) echo "$number waits: $status" >&2; exit 75 ;;
            refused) mv "$sealed" "$QUEUE/refused/"; echo "$number refused: $status" >&2; ended=1 ;;
        esac
    done
    exit $ended
}

case ${1-} in
    take) take "${2-}" ;;
    deliver) deliver ;;
    *) sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
