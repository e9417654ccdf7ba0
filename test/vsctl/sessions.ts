/**
 * Sessions with ovs-vsctl, each from an empty database on: a name, and a command line on each line. Words are parted by
 * spaces; single quotes keep a word together.
 */
export const SESSIONS: readonly (readonly [name: string, lines: string])[] = [
  [
    'bridges',
    `init
     list-br
     add-br br0
     add-br br0
     --may-exist add-br br0
     -- --may-exist add-br br0 br0 3
     add-br br1 -- add-br br2 -- set bridge br2 fail_mode=secure
     list-br
     br-exists br0
     br-exists nope
     list-br -- br-exists nope
     br-to-vlan br0
     br-to-vlan nope
     br-to-parent br1
     del-br nope
     --if-exists del-br nope
     -- --if-exists del-br br1
     list-br
     get bridge br2 fail_mode name
     del-br br2 -- list-br
     get-fail-mode br0
     set-fail-mode br0 foo
     set-fail-mode br0 standalone
     get-fail-mode br0
     del-fail-mode br0
     get-fail-mode br0
     show`,
  ],
  [
    'fake bridges',
    `add-br br0 -- add-port br0 p1 tag=5
     add-br x br0
     add-br x br0 5000
     add-br x br0 -1
     add-br x nobr 5
     add-br br0.7 br0 7
     add-br y br0.7 8
     add-br y br0 7
     add-br br0.8 br0 8
     --may-exist add-br br0.7
     --may-exist add-br br0.7 br0 7
     --may-exist add-br br0.7 br0 8
     --may-exist add-br br0.7 x 8
     list-br
     -- --real list-br
     -- --fake list-br
     -- --real --fake list-br
     br-to-vlan br0.7 -- br-to-parent br0.7
     add-port br0.7 p7
     get port p7 tag
     list-ports br0 -- list-ports br0.7
     port-to-br p7
     iface-to-br p7
     del-port br0 p7
     del-port br0.7 p1
     br-set-external-id br0.7 k v
     br-set-external-id br0.7 k2
     br-get-external-id br0.7
     br-get-external-id br0.7 k
     get port br0.7 external_ids
     br-set-external-id br0.7 k
     get-controller br0.7
     set-controller br0.7 tcp:1.2.3.4
     set-controller br0 tcp:1.2.3.4
     get-controller br0.7
     set-fail-mode br0.7 secure
     get-fail-mode br0.7
     add-br z br0 5
     list-ports z
     list-ports br0
     del-br br0.7
     list-ports br0
     del-br br0
     list-br`,
  ],
  [
    'ports',
    `add-br br0
     add-port br0 p1 tag=5 vlan_mode=access
     add-port br0 p1
     add-port br0 br0
     add-port nobr p2
     -- --may-exist add-port br0 p1
     -- --may-exist add-port br0 p1 tag=7
     get port p1 tag
     add-br br1 -- --may-exist add-port br1 p1
     add-br br1
     -- --may-exist add-port br1 p1 a=b
     add-port br0 p2 -- set interface p2 type=internal ofport_request=9 -- set port p2 other_config:x=y
     add-port br0 p3 tag=5000
     add-port br0 p3 foo=1
     add-port br0 p3 tag
     list-ports br0
     list-ifaces br0
     port-to-br p1
     port-to-br nope
     iface-to-br p2
     iface-to-br br0
     del-port p9
     del-port br1 p1
     del-port br0
     --if-exists del-port br0
     --if-exists del-port p9
     del-port nobr p1
     del-port p1
     del-port br0 p2 -- list-ports br0
     add-port br0 p1 -- del-port p1 -- add-port br0 p1 tag=3
     get port p1 tag
     show
     del-br br0 -- list-br`,
  ],
  [
    'bonds',
    `add-br br0
     add-bond br0 b0 e0
     add-bond br0 b0 e0 a=b e1
     add-bond br0 b0 e0 e1
     add-bond br0 b1 e1 e2
     --may-exist add-bond br0 b0 e1 e0
     -- --fake-iface --may-exist add-bond br0 b0 e0 e2
     -- --fake-iface add-bond br0 b2 x2 y2 lacp=active bond_mode=balance-slb
     get port b2 bond_fake_iface lacp bond_mode
     add-port br0 e0
     add-br e0
     add-bond br0 b3 x x
     add-bond-iface b0 e5
     add-bond-iface b0 e5
     add-bond-iface nope e6
     -- --may-exist add-bond-iface b0 e5
     -- --may-exist add-bond-iface b2 e5
     list-ifaces br0
     del-bond-iface b0 nope
     del-bond-iface b2 e5
     del-bond-iface b0 e5
     -- --if-exists del-bond-iface b0 e5
     del-bond-iface e0
     del-bond-iface e1
     del-port e1
     -- --with-iface del-port e9
     -- --with-iface del-port e1
     -- --with-iface --if-exists del-port e1
     list-ports br0 -- list-ifaces br0
     show`,
  ],
  [
    'controllers, managers and SSL',
    `add-br br0
     get-controller br0
     set-controller br0 tcp:127.0.0.1:6653 ptcp:6654 unix:/x
     get-controller br0
     set-controller br0 foo:bar
     -- --inactivity-probe=5000 set-controller br0 tcp:1.1.1.1
     -- --columns=target,inactivity_probe list controller
     get controller br0 target
     list-br -- del-controller br0
     get-controller br0
     get-controller nope
     set-controller br0
     get-manager
     set-manager ptcp:6640 ssl:1.2.3.4
     get-manager
     -- --columns=target list manager
     set-manager x:y
     -- --inactivity-probe=0 set-manager tcp:1.2.3.4
     -- --columns=target,inactivity_probe list manager
     get manager tcp:1.2.3.4 target
     get manager '"tcp:1.2.3.4"' target
     del-manager
     get-manager
     get-ssl
     get ssl . ca_cert
     set-ssl /k /c /ca
     get-ssl
     get ssl . ca_cert
     -- --bootstrap set-ssl a b c
     get-ssl
     show
     del-ssl
     get-ssl`,
  ],
  [
    'external ids',
    `add-br br0
     br-set-external-id br0 b 2 -- br-set-external-id br0 a 1
     br-get-external-id br0
     br-get-external-id br0 a
     br-get-external-id br0 zz
     br-set-external-id br0 a 3
     br-get-external-id br0 a
     br-set-external-id br0 a
     br-get-external-id br0
     br-get-external-id nope
     br-set-external-id br0 'sp ace' 'x y'
     get bridge br0 external_ids`,
  ],
  [
    'get',
    `add-br br0 -- set bridge br0 external_ids:k=v flood_vlans=3,1,2 other_config:hwaddr=02:00:00:00:00:01
     get bridge br0 name
     get Br br0 name
     get b br0 external-ids external_ids:k EXTERNAL_IDS
     get i br0 name
     get zz br0 name
     get bridge br0 n
     get bridge br0 zz
     get bridge nope name
     -- --if-exists get bridge nope name
     get bridge br0 external_ids:z
     -- --if-exists get bridge br0 external_ids:z
     get bridge br0 name:z
     get bridge br0 ''
     get bridge br0 name=x
     get bridge br0 external_ids:
     get bridge br0 'external_ids:"k"'
     get bridge br0 'name:"x'
     get bridge br0 'name:"x\\'
     get bridge br0 flood_vlans other_config datapath_id stp_enable fail_mode flow_tables
     get bridge br0
     get . . name
     get open . next_cfg
     get open x next_cfg
     get bridge br0 name -- get port br0 name -- get interface br0 type name`,
  ],
  [
    'set',
    `add-br br0 -- add-port br0 p1
     set bridge br0 name=
     set bridge br0 name
     set bridge br0 zork=3
     set bridge br0 external_ids:a
     set bridge br0 external_ids:a=
     set bridge br0 'external_ids:a=""'
     set bridge br0 external_ids:a=b,c=d
     get bridge br0 external_ids
     set bridge br0 external_ids={a=1,b=2}
     set bridge br0 external_ids=a=1,a=2
     set bridge br0 external_ids={a=1
     set bridge br0 external_ids={a=1}x
     set bridge br0 external_ids=a:b
     set bridge br0 external_ids==b
     get bridge br0 external_ids
     set bridge br0 flood_vlans=1,2,3,5-8
     get bridge br0 flood_vlans
     set bridge br0 flood_vlans=8-5
     set bridge br0 flood_vlans=1,1
     set bridge br0 flood_vlans=5000
     set bridge br0 flood_vlans=1-
     set bridge br0 flood_vlans=x
     set bridge br0 flood_vlans=1-9999999999
     set bridge br0 'flood_vlans=[ 1 2 ]'
     set bridge br0 'flood_vlans=[ 1 2 '
     set bridge br0 'flood_vlans=[]'
     get bridge br0 flood_vlans
     set bridge br0 fail_mode=foo
     set bridge br0 fail_mode=secure,standalone
     set bridge br0 fail_mode=[]
     set bridge br0 name=[]
     set bridge br0 name=br1
     set bridge br0 stp_enable=yes
     get bridge br0 stp_enable
     set bridge br0 stp_enable=maybe
     set bridge br0 stp_enable=0
     set bridge br0 protocols=OpenFlow13,OpenFlow10
     get bridge br0 protocols
     set bridge br0 protocols=foo
     set bridge br0 _uuid=x
     set bridge br0 datapath_type=netdev other-config:dp-desc=s1 other_config:disable-in-band=true
     set port p1 tag=4096
     set port p1 tag=1.5
     set port p1 tag=1,2
     set port p1 tag=[1
     set port p1 'tag=[7]'
     set port p1 trunks=1,2,4000
     set port p1 'other_config:x="a b"' 'other_config:y=a b' 'other_config:z="a\\"b"'
     get port p1 other_config other_config:z
     set port p1 'other_config:z=a"b'
     set port p1 'other_config:z="a\\'
     set port p1 'other_config:z=a\\'
     set port p1 'other_config:z=a\\b'
     set port p1 'other_config:z=é' 'other_config:"k k"=true' other_config:q=-3 other_config:r=3.5
     get port p1 other_config
     set port p1 'other_config={"x y"="a\\tb", e=""}'
     get port p1 other_config other_config:e
     set bridge br0
     -- --if-exists set bridge xx foo=3
     -- --if-exists set bridge xx name=3
     set port p1 interfaces=@x
     set port p1 qos=abc
     set open . other_config:a=b external_ids:system-id=x
     get open . other_config
     set open x a=b
     set interface p1 ingress_policing_rate=-5
     set interface p1 ingress_policing_rate=12345678901234567890
     set interface p1 ingress_policing_rate=0x10
     set interface p1 ingress_policing_rate=1000 ingress_policing_burst=100
     get interface p1 ingress_policing_rate
     set interface p1 ofport_request=0
     set interface p1 ofport_request=70000
     set interface p1 mtu_request=60
     set interface p1 type=patch options:peer=q1 options:x=00:11:22:33:44:55
     get interface p1 options type
     show`,
  ],
  [
    'add, remove and clear',
    `add-br br0 -- add-port br0 p1 tag=5 -- set bridge br0 flood_vlans=1,2 external_ids='{a=1,b=2}'
     add bridge br0 flood_vlans 7 9,10
     get bridge br0 flood_vlans
     add bridge br0 external_ids a=9 c=3
     get bridge br0 external_ids
     add port p1 tag 3
     add bridge br0 name x
     add bridge br0 fail_mode secure
     get bridge br0 fail_mode
     add bridge br0 external_ids a
     add bridge br0 flood_vlans x
     add bridge br0 zz x
     add bridge nope external_ids a=1
     -- --if-exists add bridge nope external_ids a=1
     remove bridge br0 flood_vlans 7 99
     remove bridge br0 external_ids a c=4
     get bridge br0 external_ids
     remove bridge br0 external_ids b=9
     get bridge br0 external_ids
     remove bridge br0 external_ids b=2 c=3
     get bridge br0 external_ids
     remove bridge br0 name br0
     remove bridge br0 external_ids {
     remove bridge br0 fail_mode x
     remove bridge br0 fail_mode secure
     remove interface p1 options a b
     clear bridge br0 external_ids flood_vlans
     get bridge br0 external_ids flood_vlans
     clear bridge br0 name
     clear bridge br0 zz
     clear port p1 tag
     clear nope p1 tag
     -- --if-exists clear port nope tag
     get port p1 tag
     add bridge br0 external_ids k=v -- remove bridge br0 external_ids k -- add bridge br0 external_ids k=w
     get bridge br0 external_ids`,
  ],
  [
    'create, destroy and row names',
    `add-br br0 -- add-port br0 p1
     create bridge
     create bridge name=br9
     -- --id=x create bridge name=br9
     -- --id=@x create bridge name=br9
     -- --id=@x create bridge name=br9 -- --id=@x create bridge name=br8
     create mirror name=m
     create qos type=linux-htb
     create queue other_config:max-rate=1000 dscp=5
     create queue dscp=99
     -- --id=@q create qos type=linux-htb -- set port p1 qos=@q
     get qos p1 type
     -- --id=@q create qos type=linux-htb -- set port p1 qos=@r
     -- set port p1 qos=@q -- --id=@q create qos type=linux-hfsc
     get qos p1 type
     -- --id=@p get port p1 -- --id=@m create mirror name=m output_port=@p -- set bridge br0 mirrors=@m
     get mirror m name select_all
     -- --id=@i get port p1 name
     -- set port p1 qos=@q -- --id=@q get qos p1
     -- --id=@i create interface name=foo -- --id=@m create mirror name=mm output_port=@i
     -- --id=@i create interface name=foo -- --id=@p create port name=foo interfaces=@i -- add bridge br0 ports @p
     list-ports br0
     -- --id=@s create sflow targets='"1.2.3.4:6343"' agent=eth0 -- set bridge br0 sflow=@s
     get sflow br0 targets
     -- --id=@n create netflow targets='["1.2.3.4:5","6.7.8.9:10"]' active_timeout=-1 -- set bridge br0 netflow=@n
     get netflow br0 targets active_timeout
     -- --id=@q1 create queue dscp=1 -- --id=@q2 create queue dscp=2 -- --id=@q create qos type=linux-htb queues:1=@q1 queues={2=@q2} -- set port p1 qos=@q
     -- --columns=queues list qos
     -- --id=@a create flow_table name=t0 flow_limit=5 -- set bridge br0 flow_tables:0=@a
     get flow_table t0 flow_limit
     destroy qos
     destroy qos zz
     -- --if-exists destroy qos zz
     -- --all destroy qos zz
     -- --all destroy queue
     clear port p1 qos
     -- --all destroy qos
     -- --all destroy mirror -- clear bridge br0 mirrors
     destroy bridge br0
     -- --id=@c create controller target='"tcp:127.0.0.1:6653"' max_backoff=1000 -- --if-exists del-br s1 -- add-br s1 -- set bridge s1 controller=[@c] other_config:datapath-id=0000000000000001 fail_mode=secure other-config:disable-in-band=true datapath_type=netdev -- add-port s1 s1-eth1 -- set Interface s1-eth1 ofport_request=1
     get Controller s1 is_connected max_backoff
     --if-exists del-br s1`,
  ],
  [
    'find and conditions',
    `add-br br0 -- add-br br1 -- add-port br0 p1 tag=5 -- add-port br0 p2 tag=7 -- set bridge br0 external_ids:k=v flood_vlans=1,2,3
     -- --columns=name find port tag=5
     -- --columns=name find port 'tag!=5'
     -- --columns=name find port 'tag<6'
     -- --columns=name find port 'tag>5'
     -- --columns=name find port 'tag<=5'
     -- --columns=name find port 'tag>=5' 'tag<7'
     -- --columns=name find port 'tag=[]'
     -- --columns=name find port 'tag{>=}5'
     -- --columns=name find bridge 'flood_vlans{>=}1,2'
     -- --columns=name find bridge 'flood_vlans{<}1,2'
     -- --columns=name find bridge 'flood_vlans{>}1,2'
     -- --columns=name find bridge 'flood_vlans{=}1,2'
     -- --columns=name find bridge 'flood_vlans{!=}1,2'
     -- --columns=name find bridge 'flood_vlans{in}1,2,3,4'
     -- --columns=name find bridge 'flood_vlans{not-in}4,5'
     -- --columns=name find bridge 'flood_vlans{not-in}3,5'
     -- --columns=name find bridge 'flood_vlans<5'
     -- --columns=name find bridge external_ids:k=v
     -- --columns=name find bridge external_ids:z=v
     -- --columns=name find bridge 'external_ids:z!=v'
     -- --columns=name find bridge 'external_ids:k{=}[]'
     -- --columns=name find bridge 'external_ids:z{=}[]'
     -- --columns=name find bridge 'external_ids:k=[]'
     -- --columns=name find bridge 'external_ids{>=}k=v'
     -- --columns=name find bridge 'external_ids:k{in}v,w'
     -- --columns=name find bridge 'external_ids:z{not-in}v,w'
     -- --columns=name find bridge external_ids
     -- --columns=name find bridge name~3
     -- --columns=name find bridge name:a=3
     -- --columns=name find bridge name=
     find bridge name=a,b
     -- --columns=name find bridge name=br0
     -- --columns=name find bridge 'name>br0'
     -- --columns=name find bridge stp_enable=false
     find nope name=1
     wait-until bridge br0
     wait-until bridge br0 name=br0 stp_enable=false
     wait-until bridge
     wait-until bridge br0 zz=1`,
  ],
  [
    'list and its formats',
    `add-br br0 -- add-port br0 p1 tag=5 -- set port p1 external_ids='{a="x, y",b="q\\"q",c=<&>}'
     list bridge nope
     -- --if-exists --columns=name list bridge nope
     -- --columns=name list bridge
     -- --columns=name,zz list bridge
     -- --columns= list bridge
     -- --columns=name list bridge br0 br0
     -- --columns=name,tag,name list port p1
     -- --columns=nam,ext list port p1
     -- --columns=name list bridge -- --columns=name,tag list port p1 -- list-br -- --columns=name list bridge
     list port p1
     list bridge br0
     list open
     list interface p1
     list zz
     -f table -- --columns=name,external_ids list port p1
     -f table -- --columns=name,tag list port br0 p1
     -f table --no-headings -- --columns=name,external_ids,tag list port p1
     -f table --max-column-width=3 -- --columns=name,external_ids list port br0 p1
     -f csv -- --columns=name,external_ids list port p1
     -f csv --no-headings -- --columns=name,external_ids list port p1 br0
     -f json -- --columns=name,tag,external_ids,interfaces list port p1
     -f json -- --columns=name list bridge -- --columns=name list bridge
     -f json --pretty -- --columns=name,tag,trunks list port p1
     -f html -- --columns=name,external_ids list port p1
     -f html -- --columns=name list bridge br0 -- --columns=name list bridge br0
     -f csv -- --columns=name list bridge br0 -- list-br -- --columns=name list bridge br0
     -f html --no-headings -- --columns=name list port p1
     -f table -d bare -- --columns=name,external_ids list port p1
     -f list -d json -- --columns=name,external_ids,interfaces list port p1
     -f table -- --columns=name list mirror
     --bare -- --columns=name,tag,external_ids list port p1 br0
     --no-headings --columns=name,tag list port p1 br0
     -f zork list bridge
     -d zork list bridge
     --oneline list-br -- list-ports br0 -- show -- --columns=name list port p1
     --oneline get port p1 external_ids tag`,
  ],
  [
    'the command line',
    `nocmd
     --
     add-br
     list-br a
     list-br --real
     -- --foo list-br
     -- -x del-br
     -- --if-exists --if-exists del-br x
     -- --columns list bridge
     -- --if-exists=3 del-br x
     -- add-br a -- -- add-br c
     add-br a --
     list-br
     --zork list-br
     --d list-br
     --oneli list-br
     --timeout=x list-br
     -t -5 list-br
     -t 0 list-br
     -t
     --db
     --no-wait=3 list-br
     -Z list-br
     --no
     -t5 list-br
     -vconsole:off list-br
     --no-syslog list-br
     --version
     comment a b c
     comment a -- add-br d -- comment b
     emer-reset`,
  ],
  [
    'emer-reset',
    `add-br br0 -- add-port br0 p1 tag=5 -- set bridge br0 fail_mode=secure other_config:hwaddr=02:00:00:00:00:01 other_config:x=y external_ids:a=b
     set-controller br0 tcp:1.2.3.4 -- set-manager ptcp:6640 -- set-ssl a b c
     -- --id=@m create mirror name=m select_all=true -- set bridge br0 mirrors=@m
     -- --id=@s create sflow targets='"1.2.3.4:6343"' -- set bridge br0 sflow=@s
     set port p1 other_config:q=1 -- set interface p1 ingress_policing_rate=5 other_config:z=1
     emer-reset
     show
     list-ports br0 -- get bridge br0 fail_mode other_config controller mirrors -- get port p1 other_config tag`,
  ],
  [
    'a failing command leaves nothing behind',
    `add-br br0 -- add-br br0
     list-br
     add-br br0 -- set bridge br0 fail_mode=foo
     list-br
     add-br br0 -- add-port br0 p1 -- add-port br0 p2 -- del-port p1 -- list-ports br0
     add-port br0 p3 -- br-exists nope
     list-ports br0
     -- add-port br0 p4 -- wait-until port p4 -- list-ports br0`,
  ],
];
