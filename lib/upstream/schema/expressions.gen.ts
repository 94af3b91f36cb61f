// Generated from the messages that disks, volumes and links are to expressions, of Talos 1.12.6, 1.13.9 and 1.14.1. Do not edit.
// One message a line, then its fields with their types; the first minor follows where 1.12 does not have it yet.
export const expressionMessages = `
common.NetIP
  ip bytes
common.NetIPPrefix
  ip bytes
  prefix_length int
talos.resource.definitions.block.DiscoveredVolumeSpec
  block_size uint
  dev_path string
  device_path string
  filesystem_block_size uint
  io_size uint
  label string
  name string
  offset uint
  parent string
  parent_dev_path string
  partition_index uint
  partition_label string
  partition_type string
  partition_uuid string
  pretty_size string
  probed_size uint
  sector_size uint
  size uint
  type string
  uuid string
talos.resource.definitions.block.DiskSpec
  bus_path string
  cdrom bool
  dev_path string
  firmware_version string 1.14
  io_size uint
  modalias string
  model string
  pretty_size string
  readonly bool
  rotational bool
  secondary_disks list(string)
  sector_size uint
  serial string
  size uint
  sub_system string
  symlinks list(string)
  transport string
  uuid string
  wwid string
talos.resource.definitions.network.BondMasterSpec
  ad_actor_sys_prio uint
  ad_select int
  ad_user_port_key uint
  adlacp_active int
  all_slaves_active uint
  arp_all_targets int
  arp_interval uint
  arp_validate int
  arpip_targets list(common.NetIP)
  down_delay uint
  fail_over_mac int
  hash_policy int
  lacp_rate int
  lp_interval uint
  mii_mon uint
  min_links uint
  missed_max uint
  mode int
  nsip6_targets list(common.NetIP)
  num_peer_notif uint
  packets_per_slave uint
  peer_notify_delay uint
  primary_index uint
  primary_reselect int
  resend_igmp uint
  tlb_dynamic_lb uint
  up_delay uint
  use_carrier bool
talos.resource.definitions.network.BridgeMasterSpec
  stp talos.resource.definitions.network.STPSpec
  vlan talos.resource.definitions.network.BridgeVLANSpec
talos.resource.definitions.network.BridgeVLANSpec
  filtering_enabled bool
talos.resource.definitions.network.LinkStatusSpec
  alias string
  alt_names list(string)
  bond_master talos.resource.definitions.network.BondMasterSpec
  bridge_master talos.resource.definitions.network.BridgeMasterSpec
  broadcast_addr bytes
  bus_path string
  driver string
  driver_version string
  duplex int
  firmware_version string
  flags uint
  hardware_addr bytes
  index uint
  kind string
  link_index uint
  link_state bool
  master_index uint
  mtu uint
  operational_state int
  pciid string
  permanent_addr bytes
  port int
  product string
  product_id string
  queue_disc string
  slave_kind string
  speed_megabits int
  type int
  vendor string
  vendor_id string
  veth talos.resource.definitions.network.VethSpec 1.14
  vlan talos.resource.definitions.network.VLANSpec
  vrf_master talos.resource.definitions.network.VRFMasterSpec 1.13
  wireguard talos.resource.definitions.network.WireguardSpec
talos.resource.definitions.network.STPSpec
  enabled bool
talos.resource.definitions.network.VLANSpec
  protocol int
  vid uint
talos.resource.definitions.network.VRFMasterSpec
  table int 1.13
talos.resource.definitions.network.VethSpec
  peer_name string 1.14
talos.resource.definitions.network.WireguardPeer
  allowed_ips list(common.NetIPPrefix)
  endpoint string
  persistent_keepalive_interval duration
  preshared_key string
  public_key string
talos.resource.definitions.network.WireguardSpec
  firewall_mark int
  listen_port int
  peers list(talos.resource.definitions.network.WireguardPeer)
  private_key string
  public_key string
`;
