// A server over upstream's own generated API and resources, for recording what a real encoder sends, and a printer of the
// resource definitions that a machine registers. It holds no logic of a machine: the values are made up here.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/meta"
	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/cosi-project/runtime/pkg/state/impl/inmem"
	"github.com/cosi-project/runtime/pkg/state/impl/namespaced"
	stateserver "github.com/cosi-project/runtime/pkg/state/protobuf/server"
	"github.com/cosi-project/runtime/pkg/state/registry"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	clusterapi "github.com/siderolabs/talos/pkg/machinery/api/cluster"
	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	storageapi "github.com/siderolabs/talos/pkg/machinery/api/storage"
	timeapi "github.com/siderolabs/talos/pkg/machinery/api/time"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	machinetype "github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/nethelpers"
	blockres "github.com/siderolabs/talos/pkg/machinery/resources/block"
	clusterres "github.com/siderolabs/talos/pkg/machinery/resources/cluster"
	configres "github.com/siderolabs/talos/pkg/machinery/resources/config"
	hardwareres "github.com/siderolabs/talos/pkg/machinery/resources/hardware"
	k8sres "github.com/siderolabs/talos/pkg/machinery/resources/k8s"
	networkres "github.com/siderolabs/talos/pkg/machinery/resources/network"
	runtimeres "github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	timeres "github.com/siderolabs/talos/pkg/machinery/resources/time"
	"google.golang.org/protobuf/proto"
)

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	resources := state.WrapCore(namespaced.NewState(func(ns string) state.CoreState { return inmem.NewState(ns) }))
	register(resources)
	switch os.Args[1] {
	case "definitions":
		printDefinitions(resources)
	case "serve":
		fill(resources)
		serve(resources, os.Args[2])
	}
}

func register(resources state.State) {
	definitions := registry.NewResourceRegistry(resources)
	check(registry.NewNamespaceRegistry(resources).RegisterDefault(context.Background()))
	check(definitions.RegisterDefault(context.Background()))
	for _, one := range registered {
		check(definitions.Register(context.Background(), one))
	}
}

func printDefinitions(resources state.State) {
	list := must(safe.StateListAll[*meta.ResourceDefinition](context.Background(), resources))
	type column struct {
		Name     string `json:"name"`
		JSONPath string `json:"jsonPath"`
	}
	type definition struct {
		Type        string   `json:"type"`
		DisplayType string   `json:"displayType"`
		Namespace   string   `json:"namespace"`
		Aliases     []string `json:"aliases"`
		AllAliases  []string `json:"allAliases"`
		Columns     []column `json:"columns"`
		Sensitive   bool     `json:"sensitive"`
	}
	result := []definition{}
	for one := range list.All() {
		spec := one.TypedSpec()
		columns := []column{}
		for _, c := range spec.PrintColumns {
			columns = append(columns, column{c.Name, c.JSONPath})
		}
		result = append(result, definition{
			spec.Type, spec.DisplayType, spec.DefaultNamespace, append([]string{}, spec.Aliases...),
			append([]string{}, spec.AllAliases...), columns, spec.Sensitivity == meta.Sensitive,
		})
	}
	check(json.NewEncoder(os.Stdout).Encode(result))
}

const machineConfig = `version: v1alpha1
machine:
  type: controlplane
  token: aaaaaa.bbbbbbbbbbbbbbbb
cluster:
  controlPlane:
    endpoint: https://10.0.0.10:6443
---
apiVersion: v1alpha1
kind: HostnameConfig
auto: stable
`

func fill(resources state.State) {
	put := func(one resource.Resource) { check(resources.Create(context.Background(), one)) }

	machineStatus := runtimeres.NewMachineStatus()
	machineStatus.TypedSpec().Stage = runtimeres.MachineStageShuttingDown
	machineStatus.TypedSpec().Status = runtimeres.MachineStatusStatus{
		UnmetConditions: []runtimeres.UnmetCondition{{Name: "services", Reason: "etcd not running"}},
	}
	put(machineStatus)

	disk := blockres.NewDisk(blockres.NamespaceName, "nvme0n1")
	*disk.TypedSpec() = blockres.DiskSpec{
		DevPath: "/dev/nvme0n1", Size: 1 << 62, IOSize: 512, SectorSize: 512, Model: "Samsung SSD", Serial: "S1",
		Modalias: "nvme:x", WWID: "eui.1", BusPath: "/pci0", SubSystem: "/sys/class/block", Transport: "nvme", Symlinks: []string{"/dev/disk/by-id/x"},
	}
	disk.TypedSpec().SetSize(1 << 62)
	put(disk)

	for index, name := range []string{"eth0", "bond0"} {
		link := networkres.NewLinkStatus(networkres.NamespaceName, name)
		link.TypedSpec().HardwareAddr = nethelpers.HardwareAddr{0xaa, 0xbb, 0xcc, 0, 0, byte(index + 1)}
		link.TypedSpec().PermanentAddr = nethelpers.HardwareAddr{0xaa, 0xbb, 0xcc, 0, 1, byte(index + 1)}
		link.TypedSpec().Type = nethelpers.LinkEther
		link.TypedSpec().LinkState = index == 0
		link.TypedSpec().MTU = 1500
		link.TypedSpec().Driver = "e1000e"
		if index == 1 {
			link.TypedSpec().Kind = "bond"
		}
		put(link)
	}

	hostname := networkres.NewHostnameStatus(networkres.NamespaceName, networkres.HostnameID)
	hostname.TypedSpec().Hostname = "cp-1"
	put(hostname)

	information := hardwareres.NewSystemInformation(hardwareres.SystemInformationID)
	information.TypedSpec().UUID = "4C4C4544-0000-0000-0000-000000000001"
	information.TypedSpec().Manufacturer = "Dell"
	information.TypedSpec().ProductName = "OptiPlex"
	information.TypedSpec().SerialNumber = "SN1"
	put(information)

	machineType := configres.NewMachineType()
	machineType.SetMachineType(machinetype.TypeControlPlane)
	put(machineType)
	put(configres.NewMachineConfig(must(configloader.NewFromBytes([]byte(machineConfig)))))

	clock := timeres.NewStatus()
	clock.TypedSpec().Synced = true
	put(clock)

	for name, role := range map[string]machinetype.Type{"cp-1": machinetype.TypeControlPlane, "worker-1": machinetype.TypeWorker} {
		member := clusterres.NewMember(clusterres.NamespaceName, name)
		member.TypedSpec().NodeID = "id-" + name
		member.TypedSpec().Hostname = name
		member.TypedSpec().MachineType = role
		member.TypedSpec().OperatingSystem = "Talos (v1.14.1)"
		member.TypedSpec().Addresses = []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")}
		put(member)
	}

	schematic := runtimeres.NewExtensionStatus(runtimeres.NamespaceName, "0")
	schematic.TypedSpec().Metadata.Name = "schematic"
	schematic.TypedSpec().Metadata.Version = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
	put(schematic)

	nodename := k8sres.NewNodename(k8sres.NamespaceName, k8sres.NodenameID)
	nodename.TypedSpec().Nodename = "cp-1"
	put(nodename)
	security := runtimeres.NewSecurityStateSpec(runtimeres.NamespaceName)
	security.TypedSpec().SecureBoot = true
	put(security)
}

type machineServer struct {
	machine.UnimplementedMachineServiceServer
}

func (machineServer) Version(context.Context, *emptypb.Empty) (*machine.VersionResponse, error) {
	return &machine.VersionResponse{Messages: []*machine.Version{{
		Version:  &machine.VersionInfo{Tag: version, Sha: "abcdef0", Arch: "amd64", Os: "linux", GoVersion: "go1.26"},
		Platform: &machine.PlatformInfo{Name: "metal", Mode: "metal"},
		Features: &machine.FeaturesInfo{Rbac: true},
	}}}, nil
}

func (machineServer) ServiceList(context.Context, *emptypb.Empty) (*machine.ServiceListResponse, error) {
	return &machine.ServiceListResponse{Messages: []*machine.ServiceList{{Services: []*machine.ServiceInfo{
		{
			Id: "etcd", State: "Preparing",
			Events: &machine.ServiceEvents{Events: []*machine.ServiceEvent{{Msg: "Running pre state", State: "Preparing", Ts: timestamppb.New(time.Unix(1_800_000_000, 0))}}},
			Health: &machine.ServiceHealth{Unknown: true},
		},
		{Id: "kubelet", State: "Running", Health: &machine.ServiceHealth{Healthy: true, LastChange: timestamppb.New(time.Unix(1_800_000_000, 0))}},
		{Id: "cri", State: "Running", Health: &machine.ServiceHealth{LastMessage: "no answer"}},
	}}}}, nil
}

func (machineServer) EtcdMemberList(context.Context, *machine.EtcdMemberListRequest) (*machine.EtcdMemberListResponse, error) {
	return &machine.EtcdMemberListResponse{Messages: []*machine.EtcdMembers{{Members: []*machine.EtcdMember{
		{Id: 1<<64 - 1, Hostname: "cp-1", PeerUrls: []string{"https://10.0.0.1:2380"}, ClientUrls: []string{"https://10.0.0.1:2379"}},
		{Id: 7, Hostname: "cp-2", PeerUrls: []string{"https://10.0.0.2:2380"}, IsLearner: true},
	}}}}, nil
}

func (machineServer) EtcdStatus(context.Context, *emptypb.Empty) (*machine.EtcdStatusResponse, error) {
	return &machine.EtcdStatusResponse{Messages: []*machine.EtcdStatus{{MemberStatus: &machine.EtcdMemberStatus{
		MemberId: 1<<64 - 1, Leader: 7, RaftIndex: 1 << 40, RaftTerm: 3, RaftAppliedIndex: 1<<40 - 1, DbSize: 20480, DbSizeInUse: 16384,
		Errors: []string{"etcdserver: no leader"}, StorageVersion: "3.7.0", ProtocolVersion: "3.7.1",
	}}}}, nil
}

func (machineServer) Bootstrap(context.Context, *machine.BootstrapRequest) (*machine.BootstrapResponse, error) {
	return nil, status.Error(codes.AlreadyExists, "etcd data directory is not empty")
}

func (machineServer) ApplyConfiguration(_ context.Context, in *machine.ApplyConfigurationRequest) (*machine.ApplyConfigurationResponse, error) {
	return &machine.ApplyConfigurationResponse{Messages: []*machine.ApplyConfiguration{{
		Mode:        machine.ApplyConfigurationRequest_NO_REBOOT,
		ModeDetails: fmt.Sprintf("mode %s, dry run %v, %d bytes, try %s", in.Mode, in.DryRun, len(in.Data), in.TryModeTimeout.AsDuration()),
		Warnings:    []string{"a warning"},
	}}}, nil
}

func (machineServer) Reboot(_ context.Context, in *machine.RebootRequest) (*machine.RebootResponse, error) {
	return &machine.RebootResponse{Messages: []*machine.Reboot{{ActorId: "actor-" + in.Mode.String()}}}, nil
}

func (machineServer) Reset(_ context.Context, in *machine.ResetRequest) (*machine.ResetResponse, error) {
	return &machine.ResetResponse{Messages: []*machine.Reset{{
		ActorId: fmt.Sprintf("graceful %v reboot %v mode %s partitions %d disks %v", in.Graceful, in.Reboot, in.Mode, len(in.SystemPartitionsToWipe), in.UserDisksToWipe),
	}}}, nil
}

func (machineServer) Upgrade(_ context.Context, in *machine.UpgradeRequest) (*machine.UpgradeResponse, error) {
	return &machine.UpgradeResponse{Messages: []*machine.Upgrade{{
		Ack: "Upgrade request received", ActorId: fmt.Sprintf("%s stage %v force %v preserve %v %s", in.Image, in.Stage, in.Force, in.Preserve, in.RebootMode),
	}}}, nil
}

func (machineServer) Kubeconfig(_ *emptypb.Empty, out machine.MachineService_KubeconfigServer) error {
	content := []byte("apiVersion: v1\nkind: Config\n")
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	packed := tar.NewWriter(zipped)
	check(packed.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "kubeconfig", Size: int64(len(content)), ModTime: time.Unix(1_800_000_000, 0), Mode: 0o600}))
	must(packed.Write(content))
	check(packed.Close())
	check(zipped.Close())
	return out.Send(&common.Data{Bytes: archive.Bytes()})
}

func (machineServer) Read(in *machine.ReadRequest, out machine.MachineService_ReadServer) error {
	if in.Path != "/proc/sys/kernel/random/boot_id" {
		return status.Errorf(codes.NotFound, "stat %s: no such file or directory", in.Path)
	}
	return out.Send(&common.Data{Bytes: []byte("0a1b2c3d-0000-0000-0000-000000000001\n")})
}

func (machineServer) List(in *machine.ListRequest, out machine.MachineService_ListServer) error {
	_, err := os.Lstat(in.Root + "/nothing-like-this")
	return err
}

func (machineServer) Logs(in *machine.LogsRequest, out machine.MachineService_LogsServer) error {
	check(out.Send(&common.Data{Bytes: []byte(fmt.Sprintf("%s/%s tail %d\nhal", in.Namespace, in.Id, in.TailLines))}))
	return out.Send(&common.Data{Bytes: []byte("f a line\n")})
}

func (machineServer) Events(in *machine.EventsRequest, out machine.MachineService_EventsServer) error {
	check(out.Send(&machine.Event{}))
	for _, payload := range []proto.Message{
		&machine.SequenceEvent{Sequence: "boot", Action: machine.SequenceEvent_START},
		&machine.TaskEvent{Task: "stopAllServices", Action: machine.TaskEvent_START},
		&machine.MachineStatusEvent{Stage: machine.MachineStatusEvent_RUNNING, Status: &machine.MachineStatusEvent_MachineStatus{Ready: true}},
	} {
		value := must(proto.Marshal(payload))
		check(out.Send(&machine.Event{
			Id: "cbbbbbbbbbbbbbbbbbb0", ActorId: "actor",
			Data: &anypb.Any{TypeUrl: "talos/runtime/" + string(payload.ProtoReflect().Descriptor().FullName()), Value: value},
		}))
	}
	return nil
}

// heard answers calls whose reply carries nothing of interest: the text shows what arrived.
func heard(format string, args ...any) error {
	return status.Errorf(codes.FailedPrecondition, "heard: "+format, args...)
}

func (machineServer) Shutdown(_ context.Context, in *machine.ShutdownRequest) (*machine.ShutdownResponse, error) {
	return &machine.ShutdownResponse{Messages: []*machine.Shutdown{{ActorId: fmt.Sprintf("force %v", in.Force)}}}, nil
}

func (machineServer) Rollback(context.Context, *machine.RollbackRequest) (*machine.RollbackResponse, error) {
	return &machine.RollbackResponse{Messages: []*machine.Rollback{{}}}, nil
}

func (machineServer) ServiceStart(_ context.Context, in *machine.ServiceStartRequest) (*machine.ServiceStartResponse, error) {
	return nil, heard("start %s", in.Id)
}

func (machineServer) ServiceStop(_ context.Context, in *machine.ServiceStopRequest) (*machine.ServiceStopResponse, error) {
	return nil, heard("stop %s", in.Id)
}

func (machineServer) ServiceRestart(_ context.Context, in *machine.ServiceRestartRequest) (*machine.ServiceRestartResponse, error) {
	return nil, heard("restart %s", in.Id)
}

func (machineServer) EtcdForfeitLeadership(context.Context, *machine.EtcdForfeitLeadershipRequest) (*machine.EtcdForfeitLeadershipResponse, error) {
	return &machine.EtcdForfeitLeadershipResponse{Messages: []*machine.EtcdForfeitLeadership{{Member: "cp-2"}}}, nil
}

func (machineServer) EtcdRemoveMemberByID(_ context.Context, in *machine.EtcdRemoveMemberByIDRequest) (*machine.EtcdRemoveMemberByIDResponse, error) {
	return nil, heard("member %d", in.MemberId)
}

func (machineServer) EtcdLeaveCluster(context.Context, *machine.EtcdLeaveClusterRequest) (*machine.EtcdLeaveClusterResponse, error) {
	return &machine.EtcdLeaveClusterResponse{Messages: []*machine.EtcdLeaveCluster{{}}}, nil
}

func (machineServer) EtcdDefragment(context.Context, *emptypb.Empty) (*machine.EtcdDefragmentResponse, error) {
	return &machine.EtcdDefragmentResponse{Messages: []*machine.EtcdDefragment{{}}}, nil
}

func (machineServer) EtcdAlarmDisarm(context.Context, *emptypb.Empty) (*machine.EtcdAlarmDisarmResponse, error) {
	return &machine.EtcdAlarmDisarmResponse{Messages: []*machine.EtcdAlarmDisarm{{}}}, nil
}

func (machineServer) EtcdRecover(in machine.MachineService_EtcdRecoverServer) error {
	total, chunks := 0, 0
	for {
		chunk, err := in.Recv()
		if err == io.EOF {
			return heard("%d bytes in %d chunks", total, chunks)
		}
		check(err)
		total += len(chunk.Bytes)
		chunks++
	}
}

func (machineServer) EtcdSnapshot(_ *machine.EtcdSnapshotRequest, out machine.MachineService_EtcdSnapshotServer) error {
	check(out.Send(&common.Data{Bytes: []byte("snap")}))
	return out.Send(&common.Data{Bytes: []byte("shot")})
}

func (machineServer) Dmesg(in *machine.DmesgRequest, out machine.MachineService_DmesgServer) error {
	return out.Send(&common.Data{Bytes: []byte(fmt.Sprintf("follow %v tail %v\n", in.Follow, in.Tail))})
}

func (machineServer) MetaWrite(_ context.Context, in *machine.MetaWriteRequest) (*machine.MetaWriteResponse, error) {
	return nil, heard("key %d value %s", in.Key, in.Value)
}

func (machineServer) ImagePull(_ context.Context, in *machine.ImagePullRequest) (*machine.ImagePullResponse, error) {
	return nil, heard("pull %s into %s", in.Reference, in.Namespace)
}

func (machineServer) Memory(context.Context, *emptypb.Empty) (*machine.MemoryResponse, error) {
	return &machine.MemoryResponse{Messages: []*machine.Memory{{Meminfo: &machine.MemInfo{
		Memtotal: 16384, Memfree: 4096, Memavailable: 9000, Buffers: 96, Cached: 5000, Shmem: 32,
	}}}}, nil
}

func (machineServer) CPUInfo(context.Context, *emptypb.Empty) (*machine.CPUInfoResponse, error) {
	return &machine.CPUInfoResponse{Messages: []*machine.CPUsInfo{{CpuInfo: []*machine.CPUInfo{
		{Processor: 0, ModelName: "Intel(R) N100", CpuMhz: 800.5}, {Processor: 1, ModelName: "Intel(R) N100"},
	}}}}, nil
}

func (machineServer) LoadAvg(context.Context, *emptypb.Empty) (*machine.LoadAvgResponse, error) {
	return &machine.LoadAvgResponse{Messages: []*machine.LoadAvg{{Load1: 1.5, Load5: 0.25, Load15: 0.125}}}, nil
}

func (machineServer) SystemStat(context.Context, *emptypb.Empty) (*machine.SystemStatResponse, error) {
	return &machine.SystemStatResponse{Messages: []*machine.SystemStat{{
		BootTime: 1_800_000_000,
		CpuTotal: &machine.CPUStat{User: 10, Nice: 1, System: 5, Idle: 80, Iowait: 4, Irq: 0.5, SoftIrq: 0.25, Steal: 0.25, Guest: 99},
	}}}, nil
}

func (machineServer) Processes(context.Context, *emptypb.Empty) (*machine.ProcessesResponse, error) {
	return &machine.ProcessesResponse{Messages: []*machine.Process{{Processes: []*machine.ProcessInfo{
		{Pid: 900, Ppid: 1, State: "S", Threads: 7, CpuTime: 2.5, VirtualMemory: 1 << 40, ResidentMemory: 1 << 20, Command: "etcd", Executable: "/usr/local/bin/etcd", Args: "etcd --name cp-1", Label: "system_u"},
		{Pid: 2, State: "S", Threads: 1, Command: "kthreadd"},
		{Pid: 1, State: "S", Threads: 9, Command: "init", Executable: "/sbin/init"},
	}}}}, nil
}

func (machineServer) Mounts(context.Context, *emptypb.Empty) (*machine.MountsResponse, error) {
	return &machine.MountsResponse{Messages: []*machine.Mounts{{Stats: []*machine.MountStat{
		{Filesystem: "/dev/sda4", Size: 1 << 40, Available: 1 << 39, MountedOn: "/var"}, {Filesystem: "proc", MountedOn: "/proc"},
	}}}}, nil
}

func (machineServer) Containers(_ context.Context, in *machine.ContainersRequest) (*machine.ContainersResponse, error) {
	return &machine.ContainersResponse{Messages: []*machine.Container{{Containers: []*machine.ContainerInfo{
		{Namespace: in.Namespace, Id: in.Driver.String() + "/b", PodId: in.Driver.String() + "/a", Name: "b", Image: "image:1", Pid: 12, Status: "CONTAINER_RUNNING"},
		{Namespace: in.Namespace, Id: in.Driver.String() + "/a", PodId: in.Driver.String() + "/a", Name: "a", Status: "SANDBOX_READY"},
	}}}}, nil
}

func (machineServer) Copy(in *machine.CopyRequest, out machine.MachineService_CopyServer) error {
	if in.RootPath != "/sys/fs/cgroup" {
		return status.Error(codes.NotFound, "lstat "+in.RootPath+": no such file or directory")
	}
	var archive bytes.Buffer
	zipper := gzip.NewWriter(&archive)
	files := tar.NewWriter(zipper)
	long := "kubepods/burstable/pod" + strings.Repeat("0123456789", 12)
	for _, file := range [][2]string{
		{"cpu.stat", "usage_usec 2500000\nuser_usec 1\nthrottled_usec 0\n"},
		{"init/memory.current", "1048576\n"},
		{"init/memory.max", "max\n"},
		{"init/cgroup.procs", "1\n17\n"},
		{long + "/memory.current", "2097152\n"},
		{long + "/memory.max", "4194304\n"},
		{long + "/pids.current", "3\n"},
	} {
		check(files.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: file[0], Size: int64(len(file[1])), Mode: 0o444}))
		must(files.Write([]byte(file[1])))
	}
	check(files.Close())
	check(zipper.Close())
	half := archive.Len() / 2
	check(out.Send(&common.Data{Bytes: archive.Bytes()[:half]}))
	return out.Send(&common.Data{Bytes: archive.Bytes()[half:]})
}

func (machineServer) EtcdAlarmList(context.Context, *emptypb.Empty) (*machine.EtcdAlarmListResponse, error) {
	return &machine.EtcdAlarmListResponse{Messages: []*machine.EtcdAlarm{{MemberAlarms: []*machine.EtcdMemberAlarm{
		{MemberId: 1<<64 - 1, Alarm: machine.EtcdMemberAlarm_NOSPACE}, {MemberId: 7, Alarm: machine.EtcdMemberAlarm_CORRUPT},
		{MemberId: 8, Alarm: machine.EtcdMemberAlarm_NONE},
	}}}}, nil
}

type storageServer struct {
	storageapi.UnimplementedStorageServiceServer
}

func (storageServer) BlockDeviceWipe(_ context.Context, in *storageapi.BlockDeviceWipeRequest) (*storageapi.BlockDeviceWipeResponse, error) {
	return nil, heard("wipe %s %s and %d more", in.Devices[0].Device, in.Devices[0].Method, len(in.Devices)-1)
}

type clusterServer struct {
	clusterapi.UnimplementedClusterServiceServer
}

func (clusterServer) HealthCheck(in *clusterapi.HealthCheckRequest, out clusterapi.ClusterService_HealthCheckServer) error {
	return out.Send(&clusterapi.HealthCheckProgress{Message: "waiting " + in.WaitTimeout.AsDuration().String() + " for etcd to be healthy: OK"})
}

type timeServer struct {
	timeapi.UnimplementedTimeServiceServer
}

func (timeServer) Time(context.Context, *emptypb.Empty) (*timeapi.TimeResponse, error) {
	return &timeapi.TimeResponse{Messages: []*timeapi.Time{{
		Server: "pool.ntp.org", Localtime: timestamppb.New(time.UnixMilli(1_800_000_000_500)), Remotetime: timestamppb.New(time.UnixMilli(1_800_000_000_000)),
	}}}, nil
}

// serve listens on a free port of loopback, prints it, and ends with its standard input.
func serve(resources state.State, certificates string) {
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(must(os.ReadFile(certificates + "/ca.pem")))
	pair := must(tls.LoadX509KeyPair(certificates+"/server.pem", certificates+"/server-key.pem"))
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: authorities, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	})))
	machine.RegisterMachineServiceServer(server, machineServer{})
	storageapi.RegisterStorageServiceServer(server, storageServer{})
	clusterapi.RegisterClusterServiceServer(server, clusterServer{})
	timeapi.RegisterTimeServiceServer(server, timeServer{})
	v1alpha1.RegisterStateServer(server, stateserver.NewState(resources))
	registerNewServices(server)
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		buffer := make([]byte, 1)
		for {
			if _, err := os.Stdin.Read(buffer); err != nil {
				os.Exit(0)
			}
		}
	}()
	check(server.Serve(listener))
}
