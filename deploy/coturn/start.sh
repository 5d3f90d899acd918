#!/bin/sh
# Starts coturn with turnserver.conf beside this script and what Parley's environment keys say, so
# that one environment file serves our TURN server and coturn alike:
#   PARLEY_TURN_SECRET or PARLEY_TURN_SECRET_FILE, PARLEY_TURN_REALM, PARLEY_TURN_PORTS,
#   PARLEY_TURN_RELAY_ADDRESS, PARLEY_TURN_EXTERNAL_ADDRESS or PARLEY_PUBLIC_ADDRESS,
#   PARLEY_TURN_ALLOW_PEERS, PARLEY_TURN_TLS_CERT and PARLEY_TURN_TLS_KEY.
# Further arguments go to turnserver. The addresses are single IPv4 ones. The secret is handed over in a file that only this user can
# read, because a command line is visible to everybody on the machine.
set -eu

refuse() {
  printf 'coturn cannot start.\n%s\n' "$1" >&2
  exit 2
}

# The items of a comma-separated list, one a line.
items() {
  printf '%s\n' "$1" | tr ',' '\n' | sed 's/^[[:space:]]*//; s/[[:space:]]*$//; /^$/d'
}

here=$(dirname "$0")
secret=${PARLEY_TURN_SECRET:-}
if [ -n "${PARLEY_TURN_SECRET_FILE:-}" ]; then
  [ -z "$secret" ] || refuse 'Set only one of PARLEY_TURN_SECRET and PARLEY_TURN_SECRET_FILE.'
  [ -r "$PARLEY_TURN_SECRET_FILE" ] ||
    refuse "PARLEY_TURN_SECRET_FILE=$PARLEY_TURN_SECRET_FILE is not usable: expected a readable file"
  secret=$(cat "$PARLEY_TURN_SECRET_FILE")
fi
[ -n "$(items "$secret")" ] ||
  refuse 'PARLEY_TURN_SECRET is not set. Give it the secret with which signaling signs TURN credentials.'

ports=${PARLEY_TURN_PORTS:-49152-65535}
printf '%s\n' "$ports" | grep -Eqx '[0-9]{4,5}-[0-9]{4,5}' ||
  refuse "PARLEY_TURN_PORTS=$ports is not usable: expected a port range, as 49152-65535"
external=${PARLEY_TURN_EXTERNAL_ADDRESS:-${PARLEY_PUBLIC_ADDRESS:-}}
relay=${PARLEY_TURN_RELAY_ADDRESS:-}
case "$external$relay${PARLEY_TURN_ALLOW_PEERS:-}" in
  */*) refuse 'PARLEY_TURN_ALLOW_PEERS and the addresses of the relay: coturn takes no CIDR ranges' ;;
esac
case "$external$relay" in
  *,*) refuse 'The addresses of the relay: this script takes one of each; list more in turnserver.conf' ;;
esac
if [ -z "$relay" ]; then
  # coturn would relay from every address of the machine, those of container bridges included.
  for address in $(hostname -I); do
    case $address in *:*) continue ;; esac
    [ "$address" = "$external" ] && relay=$address
    : "${first:=$address}"
  done
  relay=${relay:-${first:-127.0.0.1}}
fi
cert=${PARLEY_TURN_TLS_CERT:-}
key=${PARLEY_TURN_TLS_KEY:-}
if [ -n "$cert$key" ]; then
  [ -r "$cert" ] || refuse "PARLEY_TURN_TLS_CERT=$cert is not usable: expected a readable file"
  [ -r "$key" ] || refuse "PARLEY_TURN_TLS_KEY=$key is not usable: expected a readable file"
fi

umask 077
folder=$(mktemp -d)
{
  # What is said below takes the place of these lines.
  sed "/^realm=/d; /^min-port=/d; /^max-port=/d; ${cert:+/^no-tls$/d}" "$here/turnserver.conf"
  items "$secret" | sed 's/^/static-auth-secret=/'
  printf 'realm=%s\n' "${PARLEY_TURN_REALM:-parley}"
  printf 'min-port=%s\nmax-port=%s\n' "${ports%-*}" "${ports#*-}"
  printf 'relay-ip=%s\n' "$relay"
  if [ -n "$external" ] && [ "$external" != "$relay" ]; then
    printf 'external-ip=%s/%s\n' "$external" "$relay"
  fi
  items "${PARLEY_TURN_ALLOW_PEERS:-}" | sed 's/^/allowed-peer-ip=/'
  if [ -n "$cert" ]; then printf 'cert=%s\npkey=%s\n' "$cert" "$key"; fi
  printf 'userdb=%s/none.sqlite\npidfile=%s/pid\n' "$folder" "$folder"
} >"$folder/turnserver.conf"
exec turnserver -c "$folder/turnserver.conf" "$@"
