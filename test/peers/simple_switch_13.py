"""A learning switch as a controller of the version that OFP_VERSION names, else OpenFlow 1.3: run by osken-manager, prints a line
for each switch that comes."""

import os

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_3, ofproto_v1_4, ofproto_v1_5

PROTOCOL = {"1.3": ofproto_v1_3, "1.4": ofproto_v1_4, "1.5": ofproto_v1_5}[os.environ.get("OFP_VERSION", "1.3")]


class LearningSwitch(app_manager.OSKenApp):
    OFP_VERSIONS = [PROTOCOL.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports = {}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def on_features(self, event):
        datapath = event.msg.datapath
        protocol, parser = datapath.ofproto, datapath.ofproto_parser
        to_controller = [parser.OFPActionOutput(protocol.OFPP_CONTROLLER, protocol.OFPCML_NO_BUFFER)]
        self.add_flow(datapath, 0, parser.OFPMatch(), to_controller)
        print("switch %016x" % datapath.id, flush=True)

    def add_flow(self, datapath, priority, match, actions):
        protocol, parser = datapath.ofproto, datapath.ofproto_parser
        apply = [parser.OFPInstructionActions(protocol.OFPIT_APPLY_ACTIONS, actions)]
        datapath.send_msg(
            parser.OFPFlowMod(datapath=datapath, priority=priority, match=match, instructions=apply)
        )

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def on_packet(self, event):
        message = event.msg
        datapath = message.datapath
        protocol, parser = datapath.ofproto, datapath.ofproto_parser
        in_port = message.match["in_port"]
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        self.ports[datapath.id, frame.src] = in_port
        out_port = self.ports.get((datapath.id, frame.dst), protocol.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(out_port)]
        if out_port != protocol.OFPP_FLOOD:
            match = parser.OFPMatch(in_port=in_port, eth_src=frame.src, eth_dst=frame.dst)
            self.add_flow(datapath, 1, match, actions)
        # Since 1.5 the port is one of the fields of a match.
        origin = {"in_port": in_port} if PROTOCOL is not ofproto_v1_5 else {"match": parser.OFPMatch(in_port=in_port)}
        datapath.send_msg(
            parser.OFPPacketOut(
                datapath=datapath,
                buffer_id=protocol.OFP_NO_BUFFER,
                actions=actions,
                data=message.data,
                **origin,
            )
        )
