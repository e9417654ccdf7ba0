"""Three hosts on one switch in Mininet: mininet_pingall.py bridge | ovs | PORT-OF-AN-OPENFLOW-1.3-CONTROLLER

Prints what Mininet prints and, last, the loss of pingall in per cent.
"""
import sys

from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.node import OVSBridge, OVSController, OVSSwitch, RemoteController
from mininet.topo import SingleSwitchTopo

setLogLevel('info')
mode = sys.argv[1]
datapath = sys.argv[2]
if mode == 'bridge':
    parts = {'switch': lambda name, **more: OVSBridge(name, datapath=datapath, **more), 'controller': None}
elif mode == 'ovs':
    parts = {
        'switch': lambda name, **more: OVSSwitch(name, datapath=datapath, **more),
        'controller': OVSController,
        'waitConnected': True,
    }
else:
    parts = {
        'switch': lambda name, **more: OVSSwitch(name, datapath=datapath, protocols='OpenFlow13', **more),
        'controller': lambda name: RemoteController(name, ip='127.0.0.1', port=int(mode)),
        'waitConnected': True,
    }
network = Mininet(topo=SingleSwitchTopo(3), **parts)
network.start()
try:
    loss = network.pingAll(timeout='5')
    print(network.get('s1').cmd('ovs-vsctl show'))
finally:
    network.stop()
print('loss %d%%' % loss)
