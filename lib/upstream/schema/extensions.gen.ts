// Generated from the image factory's lists of official extensions and overlays for Talos v1.9 to v1.14, as of 2026-08. Do not edit.
// One name a line; minors follow where not all of 1.9 to 1.14 have it.
export const officialExtensionTable = `
siderolabs/amazon-ena 1.10 1.11 1.12 1.13 1.14
siderolabs/amd-ucode
siderolabs/amdgpu
siderolabs/amdgpu-firmware 1.9
siderolabs/binfmt-misc
siderolabs/bird2 1.12 1.13 1.14
siderolabs/bnx2-bnx2x
siderolabs/btrfs
siderolabs/cachefilesd 1.14
siderolabs/chelsio-drivers
siderolabs/chelsio-firmware
siderolabs/cloudflared
siderolabs/crun
siderolabs/ctr 1.10 1.11 1.12 1.13 1.14
siderolabs/drbd
siderolabs/dvb-cx23885
siderolabs/dvb-m88ds3103 1.11 1.12 1.13 1.14
siderolabs/ecr-credential-provider
siderolabs/fuse3
siderolabs/gasket-driver
siderolabs/glibc
siderolabs/gpio-pinctrl 1.12 1.13 1.14
siderolabs/gvisor
siderolabs/gvisor-debug
siderolabs/hailort 1.11 1.12 1.13 1.14
siderolabs/harbor-credential-provider 1.14
siderolabs/hello-world-service
siderolabs/hyperv-guest-agent 1.14
siderolabs/i915
siderolabs/i915-ucode 1.9
siderolabs/intel-ice-firmware
siderolabs/intel-npu 1.13 1.14
siderolabs/intel-ucode
siderolabs/iscsi-tools
siderolabs/joydev 1.13 1.14
siderolabs/kata-containers
siderolabs/kata-containers-snp 1.14
siderolabs/lldpd
siderolabs/mdadm
siderolabs/mei
siderolabs/mellanox-mstflint 1.12 1.13 1.14
siderolabs/metal-agent
siderolabs/multipath-tools 1.12 1.13 1.14
siderolabs/nebula 1.10 1.11 1.12 1.13 1.14
siderolabs/netbird 1.12 1.13 1.14
siderolabs/newt 1.11 1.12 1.13 1.14
siderolabs/nfs-utils 1.12 1.13 1.14
siderolabs/nfsd 1.10 1.11 1.12 1.13 1.14
siderolabs/nfsrahead 1.11 1.12 1.13 1.14
siderolabs/nonfree-kmod-nvidia-lts
siderolabs/nonfree-kmod-nvidia-production
siderolabs/nut-client
siderolabs/nvidia-container-toolkit-lts
siderolabs/nvidia-container-toolkit-production
siderolabs/nvidia-fabricmanager-lts
siderolabs/nvidia-fabricmanager-production
siderolabs/nvidia-gdrdrv-device 1.12 1.13 1.14
siderolabs/nvidia-open-gpu-kernel-modules-lts
siderolabs/nvidia-open-gpu-kernel-modules-production
siderolabs/nvme-cli 1.10 1.11 1.12 1.13 1.14
siderolabs/panfrost 1.10 1.11 1.12 1.13 1.14
siderolabs/px-fuse 1.13 1.14
siderolabs/qemu 1.14
siderolabs/qemu-guest-agent
siderolabs/qlogic-firmware
siderolabs/realtek-firmware
siderolabs/revpi-firmware 1.10 1.11 1.12 1.13 1.14
siderolabs/rockchip-rknn 1.13 1.14
siderolabs/soci-snapshotter 1.12 1.13 1.14
siderolabs/spin
siderolabs/stargz-snapshotter
siderolabs/tailscale
siderolabs/tenstorrent 1.11 1.12 1.13 1.14
siderolabs/thunderbolt
siderolabs/trident-iscsi-tools 1.12 1.13 1.14
siderolabs/uhid 1.13 1.14
siderolabs/uinput
siderolabs/usb-audio-drivers 1.12 1.13 1.14
siderolabs/usb-modem-drivers
siderolabs/util-linux-tools
siderolabs/v4l-uvc-drivers
siderolabs/vc4 1.10 1.11 1.12 1.13 1.14
siderolabs/vmtoolsd-guest-agent
siderolabs/wasmedge
siderolabs/xdma-driver 1.10 1.11 1.12 1.13 1.14
siderolabs/xe 1.12 1.13 1.14
siderolabs/xen-guest-agent
siderolabs/youki 1.10 1.11 1.12 1.13 1.14
siderolabs/zerotier 1.10 1.11 1.12 1.13 1.14
siderolabs/zfs
`;
// Name, image, then minors.
export const overlayTable = `
bananapi_m64 siderolabs/sbc-allwinner
friendlyelec-cm3588-nas siderolabs/sbc-rockchip 1.12 1.13 1.14
helios64 siderolabs/sbc-rockchip
jetson_nano siderolabs/sbc-jetson
libretech_all_h3_cc_h5 siderolabs/sbc-allwinner
nanopi-r4s siderolabs/sbc-rockchip
nanopi-r5s siderolabs/sbc-rockchip
odroid-m1 siderolabs/sbc-rockchip 1.12 1.13 1.14
orangepi-5 siderolabs/sbc-rockchip
orangepi-5-max siderolabs/sbc-rockchip 1.12 1.13 1.14
orangepi-5-plus siderolabs/sbc-rockchip 1.10 1.11 1.12 1.13 1.14
orangepi-r1-plus-lts siderolabs/sbc-rockchip
pine64 siderolabs/sbc-allwinner
radxa-zero-3e siderolabs/sbc-rockchip 1.12 1.13 1.14
revpi_generic siderolabs/sbc-raspberrypi 1.10 1.11 1.12 1.13 1.14
rock3b siderolabs/sbc-rockchip 1.12 1.13 1.14
rock4cplus siderolabs/sbc-rockchip
rock4se siderolabs/sbc-rockchip
rock5a siderolabs/sbc-rockchip 1.10 1.11 1.12 1.13 1.14
rock5b siderolabs/sbc-rockchip
rock5b-plus siderolabs/sbc-rockchip 1.12 1.13 1.14
rock5t siderolabs/sbc-rockchip 1.12 1.13 1.14
rock64 siderolabs/sbc-rockchip
rockpi4 siderolabs/sbc-rockchip
rockpi4c siderolabs/sbc-rockchip
rockpro64 siderolabs/sbc-rockchip 1.10 1.11 1.12 1.13 1.14
rpi5 siderolabs/sbc-raspberrypi 1.13
rpi_5 siderolabs/sbc-raspberrypi 1.12 1.13 1.14
rpi_generic siderolabs/sbc-raspberrypi
turingrk1 siderolabs/sbc-rockchip
`;
