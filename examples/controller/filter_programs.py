"""A controller application for os-ken (or Ryu) that loads a filter program into Oko and uses it in flows.

It needs nothing of Oko's but this file: programs and maps travel in experimenter messages, which os-ken can send as they are
(docs/oko-protocol.md draws them), and flows name the program by a register, which the bridge takes for filter_prog:

    oko bridge br0 --port 1=veth1 --port 2=veth2 --controller tcp:127.0.0.1:6653 --filter-prog-field reg15
    OKO_PROGRAM=examples/rate-limiter.o osken-manager examples/controller/filter_programs.py

It loads the program, forwards between ports 1 and 2 what the program matches, sets a limit in the program's map, and prints what
the switch says.
"""

import os
import struct

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.ofproto import ofproto_v1_3

OKO = 0x004F4B4F
PROG_LOAD, PROG_LOAD_REPLY, MAP_UPDATE, MAP_DUMP, MAP_CONTENTS = 2, 3, 8, 14, 15
REPLACE, MORE = 1, 16
BY_NAME = 0xFFFF
CHUNK = 60000

PROGRAM = 1
FILTER_PROG_FIELD = "reg15"


def padded(data):
    """Zeros up to a multiple of 8 bytes."""
    return data + bytes(-len(data) % 8)


def load_parts(program, name, elf):
    """The bodies of the messages that carry an object file."""
    name = name.encode()
    for offset in range(0, max(len(elf), 1), CHUNK):
        data = elf[offset : offset + CHUNK]
        flags = REPLACE | (MORE if offset + len(data) < len(elf) else 0)
        names = name if offset == 0 else b""
        head = struct.pack("!HHIIHHHxx", program, flags, len(elf), offset, len(names), 0, 0)
        yield padded(head + names) + data


def map_head(program, name):
    """What requests about a map begin with."""
    name = name.encode()
    return padded(struct.pack("!HHHH", program, BY_NAME, 0, len(name)) + name)


def map_update(program, name, key, value):
    return map_head(program, name) + struct.pack("!IIIxxxx", len(key), len(value), 1) + key + value


def map_contents(body):
    """Name, whether more follows, and the entries of a map_contents message."""
    _, _, _, flags, _, _, name_length, _ = struct.unpack_from("!HHBBBxIHxxQ", body)
    name = body[24 : 24 + name_length].decode()
    at = 24 + (name_length + 7) // 8 * 8
    key_size, value_size, count = struct.unpack_from("!III", body, at)
    stride, first = key_size + value_size, at + 16
    entries = [body[first + i * stride : first + (i + 1) * stride] for i in range(count)]
    return name, bool(flags & 1), [(entry[:key_size], entry[key_size:]) for entry in entries]


class FilterPrograms(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def send(self, datapath, message_type, body, xid=None):
        message = datapath.ofproto_parser.OFPExperimenter(datapath, OKO, message_type, body)
        if xid is not None:
            message.set_xid(xid)
        datapath.send_msg(message)

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def on_features(self, event):
        datapath = event.msg.datapath
        path = os.environ["OKO_PROGRAM"]
        name = os.path.basename(path).removesuffix(".o")
        with open(path, "rb") as file:
            elf = file.read()
        # All parts of one object have the same transaction id.
        for part in load_parts(PROGRAM, name, elf):
            self.send(datapath, PROG_LOAD, part, xid=0x0B0)

    @set_ev_cls(ofp_event.EventOFPExperimenter, MAIN_DISPATCHER)
    def on_experimenter(self, event):
        message = event.msg
        if message.experimenter != OKO:
            return
        if message.exp_type == PROG_LOAD_REPLY:
            print("program %d is loaded" % PROGRAM, flush=True)
            self.use_program(message.datapath)
        elif message.exp_type == MAP_CONTENTS:
            name, _, entries = map_contents(bytes(message.data))
            key, value = entries[7]
            print("map %s: %d entries, %s = %s" % (name, len(entries), key.hex(), value.hex()), flush=True)

    @set_ev_cls(ofp_event.EventOFPErrorMsg, MAIN_DISPATCHER)
    def on_error(self, event):
        message = event.msg
        if getattr(message, "experimenter", None) == OKO:
            print("refused (%d): %s" % (message.exp_type, message.data.decode()), flush=True)
        else:
            print("refused: type %d code %d" % (message.type, message.code), flush=True)

    def use_program(self, datapath):
        protocol, parser = datapath.ofproto, datapath.ofproto_parser
        for in_port, out_port in ((1, 2), (2, 1)):
            match = parser.OFPMatch(in_port=in_port, eth_type=0x0800, **{FILTER_PROG_FIELD: PROGRAM})
            apply = parser.OFPInstructionActions(protocol.OFPIT_APPLY_ACTIONS, [parser.OFPActionOutput(out_port)])
            datapath.send_msg(parser.OFPFlowMod(datapath, priority=10, match=match, instructions=[apply]))
        # What the keys and values mean is the program's affair: here element 7 of the limits, little-endian as on this machine.
        self.send(datapath, MAP_UPDATE, map_update(PROGRAM, "limits", struct.pack("<I", 7), struct.pack("<QQ", 100, 10)))
        self.send(datapath, MAP_DUMP, map_head(PROGRAM, "limits"))
        datapath.send_msg(parser.OFPFlowStatsRequest(datapath))

    @set_ev_cls(ofp_event.EventOFPFlowStatsReply, MAIN_DISPATCHER)
    def on_flows(self, event):
        for flow in event.msg.body:
            if FILTER_PROG_FIELD in flow.match:
                print("flow of filter program %d" % flow.match[FILTER_PROG_FIELD], flush=True)
