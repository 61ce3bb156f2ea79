"""Drives a router with librouteros, a client that strangers wrote, and prints what came of each step.

Usage: librouteros_session.py HOST PORT USER PASSWORD plain|token [PEM-FILE]
With a certificate the connection is TLS and trusts nothing else.
"""

import hashlib
import ssl
import sys

import librouteros
from librouteros.exceptions import LibRouterosError, MultiTrapError, TrapError
from librouteros.login import plain, token
from librouteros.query import And, Key, Or

HOST, PORT, USER, PASSWORD, METHOD, *PEM = sys.argv[1:]


def show(step, value):
    print(f"{step}: {value}")


def trapped(step, call):
    try:
        show(step, f"no trap, but {call()!r}")
    except (TrapError, MultiTrapError) as trap:
        show(step, f"trap {trap} category {getattr(trap, 'category', None)}")


def connect(password=PASSWORD):
    options = {"port": int(PORT), "login_method": {"plain": plain, "token": token}[METHOD]}
    if PEM:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(PEM[0])
        options["ssl_wrapper"] = context.wrap_socket
    return librouteros.connect(HOST, USER, password, **options)


def rows(answer):
    return [dict(sorted(row.items())) for row in answer]


trapped("wrong password", lambda: connect("not the password"))
api = connect()
if PEM:
    leaf = api.protocol.transport.sock.getpeercert(binary_form=True)
    show("fingerprint", hashlib.sha256(leaf).hexdigest())
show("identity", rows(api("/system/identity/print")))

# Reading: a proplist, queries of one and of several steps, and a list with nothing in it.
name, kind, running = Key("name"), Key("type"), Key("running")
interfaces = api.path("interface")
show("all", rows(interfaces.select(name, kind)))
show("equal", rows(interfaces.select(name).where(kind == "pppoe-in")))
show("not equal", rows(interfaces.select(name).where(kind != "pppoe-in")))
either = Or(name == "ether1", name == "<pppoe-anna>")
show("or", rows(interfaces.select(name).where(either)))
both = And(kind == "ether", name == "ether1")
show("and", rows(interfaces.select(name).where(both)))
show("in", rows(interfaces.select(name).where(name.In("ether1", "<pppoe-anna>", "nobody"))))
show("true", rows(interfaces.select(name).where(running == True)))  # noqa: E712
counters = Key("rx-byte")
show("greater", rows(interfaces.select(name).where(counters > 999)))
show("less", rows(interfaces.select(name).where(counters < 1000)))
show("empty", rows(api("/ip/firewall/connection/print")))

# Writing: add, add again, change, unset, remove, and what is refused.
entries = api.path("ip", "firewall", "address-list")
entry = {"list": "isp-expired", "address": "10.0.0.5", "comment": "isp:1"}
made = entries.add(**entry)
show("added", made)
trapped("added again", lambda: entries.add(**entry))
entries.update(**{".id": made, "comment": "isp:2", "disabled": True})
show("changed", rows(entries))
tuple(entries("unset", **{".id": made, "value-name": "comment"}))
show("unset", rows(entries))
entries.remove(made)
trapped("removed again", lambda: entries.remove(made))
show("removed", rows(entries))
trapped("unknown column", lambda: entries.add(lst="x", address="10.0.0.6"))
trapped("missing column", lambda: entries.add(list="x"))
trapped("unknown command", lambda: list(api("/ip/firewall/address-list/explode")))
trapped("unknown menu", lambda: list(api("/ip/fireball/print")))

# Order.
queues = api.path("queue", "simple")
first = queues.add(name="isp-1", target="10.0.0.1", **{"max-limit": "10M/50M"})
second = queues.add(name="isp-2", target="10.0.0.2/32", **{"max-limit": "1M/2M"})
tuple(queues("move", numbers=second, destination=first))
static = queues.select(name, Key("target"), Key("max-limit")).where(Key("dynamic") == False)  # noqa: E712
show("queues", rows(static))
queues.remove(first, second)
show("count", rows(api("/queue/simple/print", **{"count-only": ""})))

# Streams. The library knows no tags, so the sentences are written and read one by one.
show("once", rows(api("/interface/monitor-traffic", interface="<pppoe-anna>", once="")))
wire = api.protocol
wire.writeSentence("/ip/firewall/address-list/listen", ".tag=changes")
wire.writeSentence("/interface/monitor-traffic", "=interface=ether1", "=.proplist=name", ".tag=rate")
show("rate", wire.readSentence())
show("rate", wire.readSentence())
wire.writeSentence("/cancel", "=tag=rate", ".tag=end")


def until(tag):
    """Sentences up to the `!done` with that tag; rows of the rate that were under way before are left out."""
    seen = []
    while not seen or seen[-1] != ("!done", (f".tag={tag}",)):
        sentence = wire.readSentence()
        if sentence[0] != "!re" or ".tag=rate" not in sentence[1]:
            seen.append(sentence)
    return seen


def two():
    """Two sentences of two commands, which may come in either order."""
    return sorted(wire.readSentence() for _ in range(2))


show("cancelled", until("end"))
wire.writeSentence("/ip/firewall/address-list/add", "=list=a", "=address=10.9.9.9", ".tag=add")
show("listened", two())
wire.writeSentence("/ip/firewall/address-list/remove", "=.id=*2", ".tag=remove")
show("listened", two())
wire.writeSentence("/cancel", ".tag=all")
show("all cancelled", until("all"))

# A long word, of which the length needs three octets.
long = "x" * 20000
made = entries.add(list="long", address="10.8.8.8", comment=long)
comments = api.path("ip", "firewall", "address-list").select(Key("comment")).where(Key("list") == "long")
show("long word", [len(row["comment"]) for row in comments])

wire.writeSentence("/quit")
try:
    wire.readSentence()
except LibRouterosError as end:
    show("quit", f"{type(end).__name__} {end}")
