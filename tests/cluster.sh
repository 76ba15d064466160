#!/bin/sh
# Kills the leader of a PostgreSQL cluster while eight processes work on it, and proves that no
# acknowledged write is lost, none is there twice, no item has two holders, no cursor skips an event,
# and nobody has to do anything.
#
# Three nodes under Patroni with synchronous replication; half of the workers go through HAProxy,
# the others name all hosts. Everything listens on free ports of 127.0.0.1, runs as a user without
# rights, keeps its files in one temporary folder, and is ended whatever becomes of this script.
#
# usage: tests/cluster.sh    TRUEUP_REQUIRE_CLUSTER=1: fail instead of skipping
set -eu

postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
PATH=$PATH:/usr/sbin:/sbin
# It takes about a minute where nothing else runs.
limit=600

# Prepares as the caller, then goes on as a user whom PostgreSQL does not refuse.
prepare() {
  cd "$(dirname "$0")/.."
  missing=""
  [ -n "$postgres" ] || missing=" postgresql"
  for program in patroni etcd haproxy setpriv setsid timeout python3 psql; do
    command -v $program >/dev/null || missing="$missing $program"
  done
  if [ -n "$missing" ]; then
    echo "SKIPPED the cluster test: not installed:$missing" >&2
    echo "  (apt-get install postgresql patroni etcd-server haproxy)" >&2
    [ "${TRUEUP_REQUIRE_CLUSTER:-}" != 1 ]
    exit
  fi
  cargo build --locked --quiet -p trueup-tests --bin trueup-load
  dir=$(mktemp -d "${TMPDIR:-/tmp}/trueup-cluster.XXXXXX")
  cp "$0" "$dir/cluster.sh"
  cp "${CARGO_TARGET_DIR:-target}/debug/trueup-load" "$dir/load"
  if [ "$(id -u)" = 0 ]; then
    chown -R nobody "$dir"
    set -- setpriv --reuid=nobody --regid=nogroup --clear-groups
  fi
  code=0
  timeout --foreground --kill-after=20 $limit "$@" sh "$dir/cluster.sh" inside "$dir" || code=$?
  [ $code -ne 124 ] || echo "the cluster test took longer than $limit s" >&2
  [ -n "${TRUEUP_CLUSTER_KEEP:-}" ] || rm -rf "$dir"
  exit $code
}

[ "${1:-}" = inside ] || prepare
dir=$2
cd "$dir"
mkdir pids logs
export HOME="$dir"
unset PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGSERVICE http_proxy HTTP_PROXY || :

# --- Ending everything ---------------------------------------------------------------------------

# The guard's standard input ends with this script, however that ends. The writing end is given to
# no child.
mkfifo alive
setsid sh -c '
  trap "" HUP INT TERM
  read -r nothing
  touch over
  for file in pids/*; do
    [ ! -s "$file" ] || kill -9 "$(cat "$file")" 2>/dev/null
  done
  for file in node*/data/postmaster.pid; do
    [ ! -s "$file" ] || kill -9 "$(head -n 1 "$file")" 2>/dev/null
  done
  exit 0
' <alive &
guard=$!
exec 9>alive
end() {
  exec 9>&-
  wait $guard
}
trap end EXIT
trap 'exit 130' INT TERM HUP

# start NAME COMMAND...: runs a command in the background; its output goes to NAME.out.
start() {
  name=$1
  shift
  "$@" >"$name.out" 2>&1 9>&- &
  echo $! >"pids/$name"
}

fail() {
  echo "FAILED: $*" >&2
  tail -n 5 ./*.out >&2
  exit 1
}

# wait_for SECONDS WHAT COMMAND...: repeats a command until it succeeds.
wait_for() {
  seconds=$1 what=$2
  shift 2
  until_time=$(($(date +%s) + seconds))
  until "$@" 2>/dev/null; do
    [ "$(date +%s)" -lt $until_time ] || fail "$what took longer than $seconds s"
    sleep 0.2
  done
}

# --- The cluster ---------------------------------------------------------------------------------

set -- $(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(9)]
print(*(it.getsockname()[1] for it in sockets))')
etcd=$1 peer=$2 proxy=$3
# Of each node: PostgreSQL, Patroni.
sql1=$4 api1=$5 sql2=$6 api2=$7 sql3=$8 api3=$9

write_node() {
  mkdir "node$1"
  cat >"node$1/patroni.yml" <<END
scope: trueup
name: node$1
restapi: {listen: '127.0.0.1:$3', connect_address: '127.0.0.1:$3'}
etcd3: {hosts: '127.0.0.1:$etcd'}
bootstrap:
  dcs:
    ttl: 10
    loop_wait: 2
    retry_timeout: 3
    synchronous_mode: true
    postgresql: {use_pg_rewind: true, parameters: {max_connections: 50}}
  initdb: [{encoding: UTF8}, {locale: C}]
postgresql:
  listen: 127.0.0.1:$2
  connect_address: 127.0.0.1:$2
  data_dir: $dir/node$1/data
  pgpass: $dir/node$1/pgpass
  bin_dir: $postgres
  authentication:
    superuser: {username: postgres, password: super}
    replication: {username: replicator, password: replica}
  parameters: {unix_socket_directories: '$dir/node$1'}
  pg_hba:
    - host all all 127.0.0.1/32 scram-sha-256
    - host replication replicator 127.0.0.1/32 scram-sha-256
  remove_data_directory_on_diverged_timelines: true
END
}

# Runs Patroni of node $1 and, as a service manager would, starts it again when it ends, once its
# machine is there. A function would keep the writing end open for the guard.
serve_node='
  while [ ! -e over ]; do
    while [ -e "node$1/down" ]; do sleep 0.2; done
    patroni "node$1/patroni.yml" &
    echo $! >"pids/patroni$1"
    wait $!
    sleep 0.5
  done'

start etcd etcd --data-dir etcd --listen-client-urls "http://127.0.0.1:$etcd" \
  --advertise-client-urls "http://127.0.0.1:$etcd" --listen-peer-urls "http://127.0.0.1:$peer" \
  --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
  --initial-cluster "default=http://127.0.0.1:$peer"
write_node 1 "$sql1" "$api1"
write_node 2 "$sql2" "$api2"
write_node 3 "$sql3" "$api3"
cat >haproxy.cfg <<END
defaults
  mode tcp
  timeout connect 2s
  timeout check 1s
  timeout client 10m
  timeout server 10m
listen primary
  bind 127.0.0.1:$proxy
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
  server node1 127.0.0.1:$sql1 check port $api1
  server node2 127.0.0.1:$sql2 check port $api2
  server node3 127.0.0.1:$sql3 check port $api3
END

# Prints what the members of the cluster are, such as "node1 leader running", a line each.
members() {
  python3 -c '
import json, sys, urllib.request
for port in sys.argv[1:]:
    try:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/cluster", timeout=2)
    except OSError:
        continue
    for member in json.load(answer)["members"]:
        print(member["name"], member["role"], member["state"])
    break' "$api1" "$api2" "$api3"
}
leader() { members | sed -n 's/^\(node[0-9]\) leader running$/\1/p'; }
# The cluster is whole: a leader, a synchronous standby, another replica.
is_whole() {
  members >members.now
  grep -q ' leader running' members.now && grep -q ' sync_standby \(running\|streaming\)' members.now &&
    [ "$(grep -c ' \(running\|streaming\)$' members.now)" = 3 ]
}

began=$(date +%s)
for node in 1 2 3; do
  start "loop$node" sh -c "$serve_node" serve_node $node
done
start haproxy haproxy -f haproxy.cfg
wait_for 180 "the start of the cluster" is_whole
admin=postgres://postgres:super@127.0.0.1:$proxy
wait_for 90 "the proxy" psql -XAtqc "SELECT 1" "$admin/postgres" >/dev/null
psql -Xq "$admin/postgres" -c "CREATE DATABASE trueup"
./load schema | psql -Xq -v ON_ERROR_STOP=1 "$admin/trueup" -f - >/dev/null
psql -Xq "$admin/trueup" -c "CREATE ROLE agent LOGIN PASSWORD 'agent' IN ROLE trueup_client"
# Two workers, one by each way, share a queue.
psql -Xq "$admin/trueup" -c \
  "INSERT INTO trueup.work_items (key) SELECT 'QUEUE-' || n FROM generate_series(0, 3) AS n"
echo "three nodes after $(($(date +%s) - began)) s, $(leader) leads"

# --- The load ------------------------------------------------------------------------------------

by_proxy=postgres://agent:agent@127.0.0.1:$proxy/trueup
by_hosts="postgres://agent:agent@127.0.0.1:$sql1,127.0.0.1:$sql2,127.0.0.1:$sql3/trueup"
by_hosts="$by_hosts?target_session_attrs=read-write"
start follow1 ./load follow "$by_proxy" --until end-follow --log logs/follow-1.log
start follow2 ./load follow "$by_hosts" --until end-follow --log logs/follow-2.log
wait_for 90 "the first reading of the followers" test -s logs/follow-1.log -a -s logs/follow-2.log
workers="1 2 3 4 5 6 7 8"
for worker in $workers; do
  url=$by_proxy
  [ $((worker % 2)) = 0 ] || url=$by_hosts
  start "work$worker" ./load work "$url" --name $worker --queue "QUEUE-$((worker / 2 % 4))" --sessions 10 \
    --until end-work --deadline-ms 4000 --log "logs/work-$worker.log"
done

# have_done COUNT: every worker has done so many operations since the last `mark`.
mark() { for worker in $workers; do grep -c '"acknowledged"' "logs/work-$worker.log" >"mark$worker" || :; done; }
have_done() {
  for worker in $workers; do
    done_now=$(grep -c '"acknowledged"' "logs/work-$worker.log") || :
    [ $((done_now - $(cat "mark$worker"))) -ge "$1" ] || return 1
  done
}
wait_for 90 "the first operations" test -s logs/work-8.log
mark
wait_for 120 "the load" have_done 15

killed=$(leader)
number=${killed#node}
touch "$killed/down"
kill -9 "$(cat "pids/patroni$number")" "$(head -n 1 "$killed/data/postmaster.pid")"
echo "$killed killed under load"
has_another_leader() { now=$(leader) && [ -n "$now" ] && [ "$now" != "$killed" ]; }
wait_for 120 "the choice of a new leader" has_another_leader
mark
wait_for 120 "the load after it" have_done 15
rm "$killed/down"
wait_for 120 "the return of $killed" is_whole

touch end-work
for worker in $workers; do
  wait "$(cat "pids/work$worker")" || fail "worker $worker"
done
touch end-follow
wait "$(cat pids/follow1)" || fail "the follower by the proxy"
wait "$(cat pids/follow2)" || fail "the follower by the hosts"
echo "$now leads, $killed is back; everything after $(($(date +%s) - began)) s"
./load verify "$admin/trueup" logs || fail "what was acknowledged is not what is there"
