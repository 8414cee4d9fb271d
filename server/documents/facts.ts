/* Generated from schemas/facts.schema.json by npm run types. */

/**
 * The file system found in the content. swap is no file system and has no entry.
 */
export type FileSystemType =
  | 'ext2'
  | 'ext3'
  | 'ext4'
  | 'xfs'
  | 'btrfs'
  | 'ufs'
  | 'zfs'
  | 'ntfs'
  | 'fat12'
  | 'fat16'
  | 'fat32'
  | 'exfat'
  | 'refs'
  | 'f2fs'
  | 'jfs'
  | 'reiserfs'
  | 'squashfs'
  | 'iso9660'
  | 'other'
/**
 * Every file system of the image, encrypted ones included, whether on a partition, a logical volume or the bare disk. A list that is present is complete.
 *
 * @maxItems 256
 */
export type Volumes = Volume[]
/**
 * built-in: in the kernel. initramfs: a module in the kernel's initramfs. loader: loaded before the kernel by loader.conf (FreeBSD). module: a module of that kernel outside the initramfs. absent: nowhere.
 */
export type DriverPlace = 'built-in' | 'initramfs' | 'loader' | 'module' | 'absent'

/**
 * Observed facts about one virtual-machine image. Absent means not collected; what does not exist in the guest is stated (false, [], 0), never left out; null is refused. Sizes are integer bytes, times RFC 3339 UTC, digests sha256:<hex>.
 */
export interface FactDocument {
  /**
   * The kind and major version of this document.
   */
  schema: 'imagegate.facts/1'
  image?: Image
  disk?: Disk
  volumes?: Volumes
  os?: Os
  boot?: Boot
  drivers?: Drivers
  files?: Files
  security?: Security
  firewall?: Firewall
  network?: Network
  remoteAccess?: RemoteAccess
  agents?: Agents
  accounts?: Accounts
  collection: Collection
}
/**
 * The container file that would be uploaded.
 */
export interface Image {
  /**
   * The name by which people know the image, usually the file's name. It decides nothing.
   */
  name: string
  /**
   * The format found in the file's content, never taken from its name. RAW means: no other known magic, a whole number of 512-byte sectors and an MBR or GPT signature. Leave it out when the content matches nothing.
   */
  format?: 'raw' | 'qcow2' | 'vhd' | 'qcow1' | 'vhdx' | 'vmdk' | 'vdi' | 'qed' | 'parallels' | 'iso' | 'archive'
  /**
   * How the container stores its blocks. A differencing VHD holds only changes against another file.
   */
  subformat?: 'fixed' | 'dynamic' | 'differencing'
  /**
   * Size of the container file itself. It never counts as the size of the disk. Unit: bytes.
   */
  fileSizeBytes?: number
  /**
   * Size of the disk that a guest would see, exactly as the format states it (a fixed VHD is 512 bytes smaller than its file). Unit: bytes.
   */
  virtualSizeBytes?: number
  /**
   * SHA-256 of the container file.
   */
  digest?: string
  /**
   * What makes a container incomplete or damaged. State false for what the format cannot have.
   */
  container?: {
    /**
     * The container names another file that holds the blocks it lacks.
     */
    backingFile?: boolean
    /**
     * The container keeps its data in another file.
     */
    externalDataFile?: boolean
    /**
     * The container itself is encrypted (QCOW2 AES or LUKS), whatever the guest does inside it.
     */
    encrypted?: boolean
    /**
     * Result of a full check of the container's own metadata, for example qemu-img check.
     */
    check?: 'clean' | 'leaks' | 'corrupt'
    /**
     * The format's own version or compatibility level.
     */
    compatibility?: string
  }
}
/**
 * The virtual disk inside the container: partition table and partitions.
 */
export interface Disk {
  /**
   * gpt also for a disk whose MBR is only protective; hybrid when a GPT disk's MBR lists real partitions; none when the disk holds no partition table.
   */
  partitionTable?: 'mbr' | 'gpt' | 'hybrid' | 'none'
  /**
   * Every entry of the partition table, in the order of their start. A list that is present is complete.
   *
   * @maxItems 256
   */
  partitions?: Partition[]
  /**
   * What a customized Linux image must offer on its first partition.
   */
  firstPartition?: {
    /**
     * The first partition's file system can be written: not read-only by type, flag or feature.
     */
    writable?: boolean
    fileSystem?: FileSystemType
    /**
     * A directory named aliyun_custom_image stands in the root of the first partition's file system.
     */
    customImageDirectory?: boolean
  }
}
/**
 * One entry of the partition table.
 */
export interface Partition {
  /**
   * The number in the table, as in /dev/sda1.
   */
  number: number
  /**
   * The name by which the report should call it.
   */
  device?: string
  /**
   * MBR type (two hexadecimal digits) or GPT type UUID, in lower case.
   */
  typeCode?: string
  /**
   * What the installed system uses the partition for. root: mounted at / by the installed system. boot: a separate /boot. system-directory: a separate /usr, /var, /home, /opt, /srv or /tmp. data: any other, unformatted ones included. windows: any partition with a drive letter or the Windows boot files. vendor: part of the partition set that CoreOS Container Linux itself lays out. Leave it out when the mount point could not be found.
   */
  role?:
    | 'root'
    | 'boot'
    | 'system-directory'
    | 'data'
    | 'efi-system'
    | 'bios-boot'
    | 'prep-boot'
    | 'swap'
    | 'extended'
    | 'msr'
    | 'recovery'
    | 'windows'
    | 'freebsd-boot'
    | 'freebsd-swap'
    | 'vendor'
  /**
   * What the partition's bytes are.
   */
  content?: 'file-system' | 'swap' | 'lvm' | 'raid' | 'encrypted' | 'boot-code' | 'container' | 'unformatted'
  /**
   * Where the installed system mounts it at boot.
   */
  mountPoint?: string
  /**
   * Offset of the first byte from the start of the disk. Unit: bytes.
   */
  startBytes?: number
  /**
   * Length of the partition. Unit: bytes.
   */
  sizeBytes?: number
  /**
   * The partition starts behind the end of the root partition.
   */
  followsRoot?: boolean
}
/**
 * One file system, or one encrypted volume whose file system cannot be seen.
 */
export interface Volume {
  /**
   * The name by which the report should call it.
   */
  device?: string
  /**
   * The partition that holds it; left out for logical volumes.
   */
  partitionNumber?: number
  /**
   * What the installed system uses it for. Windows: system holds the boot files, boot holds the Windows directory (a volume that is both is boot), data is any other with a drive letter. Linux: root, boot (a separate /boot), data. Both: efi-system, msr, recovery.
   */
  role?: 'root' | 'boot' | 'system' | 'data' | 'efi-system' | 'msr' | 'recovery'
  /**
   * The installed system mounts it at boot.
   */
  mounted?: boolean
  /**
   * Where it is mounted: a path, or a drive letter with a colon.
   */
  mountPoint?: string
  /**
   * The running Windows directory is on this volume.
   */
  holdsWindowsDirectory?: boolean
  fileSystem?: FileSystemType
  /**
   * As the file system states it, in lower case.
   */
  uuid?: string
  /**
   * The volume's label; empty when it has none.
   */
  label?: string
  /**
   * State none when the volume is known not to be encrypted.
   */
  encryption?: 'none' | 'luks' | 'bitlocker' | 'geli' | 'other'
  /**
   * Feature names exactly as the file system's own tool prints them (tune2fs -l for ext). A list that is present is complete.
   *
   * @maxItems 128
   *
   * Items: One feature name.
   */
  features?: string[]
  /**
   * What a check that wrote nothing found. Leave it out when no method was available.
   */
  check?: {
    /**
     * clean: nothing found and no journal to replay. dirty: not cleanly unmounted, a journal that needs replay, the NTFS dirty flag, or a hibernation file. errors: damage found.
     */
    result: 'clean' | 'dirty' | 'errors'
    /**
     * full: every structure was read (fsck -n, xfs_repair -n, chkdsk). flags: only the dirty flag, the log state and the absence of a hibernation file.
     */
    method: 'full' | 'flags'
  }
  /**
   * Size of the file system. Unit: bytes.
   */
  sizeBytes?: number
  /**
   * Space that is free for use. Unit: bytes.
   */
  freeBytes?: number
  /**
   * The system mounts it read-only (for example CoreOS /usr).
   */
  readOnly?: boolean
}
/**
 * The installed system, as its own files tell it.
 */
export interface Os {
  /**
   * The kind of operating system. It selects the policy's family.
   */
  type?: 'windows' | 'linux' | 'freebsd'
  /**
   * Normalised lower-case identifier: alinux, aliyun, centos, centos-stream, coreos (CoreOS Container Linux), debian, fedora, fedora-coreos, flatcar, freebsd, opensuse, opensuse-tumbleweed, rhel (Red Hat Linux too), sles (SLES, SLED and SLES for SAP), ubuntu; any other distribution by its own os-release ID. ID_LIKE never counts. Windows has none.
   */
  id?: string
  /**
   * As the system calls itself.
   */
  name?: string
  /**
   * Linux and FreeBSD: the release. Dotted decimal integers without leading zeros, nothing else.
   */
  version?: string
  /**
   * Of the installed system. Shown, never judged.
   */
  architecture?: 'x86_64' | 'i386' | 'arm64' | 'other'
  /**
   * What the registry says of the product.
   */
  windows?: {
    /**
     * CurrentVersion, or CurrentMajorVersionNumber.CurrentMinorVersionNumber where they exist.
     */
    ntVersion?: '5.0' | '5.1' | '5.2' | '6.0' | '6.1' | '6.2' | '6.3' | '10.0'
    /**
     * CurrentBuild as an integer.
     */
    build?: number
    /**
     * ProductType of ProductOptions: WinNT is workstation, ServerNT is server, LanmanNT is domain-controller.
     */
    productType?: 'workstation' | 'server' | 'domain-controller'
    /**
     * Major number of the installed service pack; 0 when none is installed.
     */
    servicePack?: number
    /**
     * EditionID of the registry.
     */
    editionId?: string
    /**
     * semi-annual when EditionID ends in ACor, long-term when it is known and does not.
     */
    releaseChannel?: 'long-term' | 'semi-annual'
  }
}
/**
 * How the installed system starts.
 */
export interface Boot {
  /**
   * Firmware for which the disk can start: both when it carries a BIOS loader and an EFI system partition. Shown, never judged.
   */
  firmware?: 'bios' | 'uefi' | 'both'
  /**
   * The loader that starts the default system.
   */
  loader?:
    | 'grub2'
    | 'grub-legacy'
    | 'systemd-boot'
    | 'extlinux'
    | 'lilo'
    | 'windows-boot-manager'
    | 'ntldr'
    | 'freebsd-loader'
    | 'other'
  /**
   * The kernel that boots by default and where each paravirtual driver is for it.
   */
  defaultKernel?: {
    /**
     * As uname -r would print it.
     */
    release?: string
    virtioBlk?: DriverPlace
    virtioPci?: DriverPlace
    virtioNet?: DriverPlace
    xenBlkfront?: DriverPlace
    xenNetfront?: DriverPlace
  }
}
/**
 * Paravirtual drivers of a Windows guest. Those of a Linux kernel stand under boot/defaultKernel.
 */
export interface Drivers {
  /**
   * Who provides the installed virtio drivers, and their files in Windows\System32\drivers, names compared without case.
   */
  virtioWindows?: {
    /**
     * none: no virtio driver is installed. alibaba or red-hat: signed or provided by it. community: by neither.
     */
    edition?: 'none' | 'alibaba' | 'red-hat' | 'community'
    /**
     * The five files that the platform replaces.
     */
    files?: {
      netkvm?: DriverFile
      balloon?: DriverFile
      vioser?: DriverFile
      viostor?: DriverFile
      pvpanic?: DriverFile
    }
  }
}
/**
 * One .sys file.
 */
export interface DriverFile {
  /**
   * The file is there.
   */
  exists?: boolean
  /**
   * The read-only attribute of $STANDARD_INFORMATION is set. Leave it out for a file that does not exist.
   */
  readOnly?: boolean
}
/**
 * Files that the platform reads, or that a starting system needs.
 */
export interface Files {
  /**
   * Linux: /sbin, /bin and /lib* against the package database's digests. Windows: sfc or DISM. Leave out verification when no baseline exists, and say unverifiable in collection/missing.
   */
  systemFiles?: {
    /**
     * What the files were compared with.
     */
    baseline?: 'dpkg' | 'rpm' | 'sfc' | 'dism' | 'other'
    /**
     * match: no packaged file that is neither configuration nor ghost differs in content or is missing, after resolving links. modified: at least one does.
     */
    verification?: 'match' | 'modified'
    /**
     * The files that differ. A list that is present is complete.
     *
     * @maxItems 1024
     *
     * Items: One file that differs.
     */
    modified?: {
      /**
       * In the guest.
       */
      path: string
      /**
       * content: other bytes than packaged. missing: not there.
       */
      change: 'content' | 'missing'
    }[]
  }
  /**
   * Every release file that exists in the guest (os-release, redhat-release, SuSE-release, lsb-release, debian_version, freebsd-version). A list that is present is complete.
   *
   * @maxItems 32
   *
   * Items: One release file.
   */
  releaseFiles?: {
    /**
     * In the guest.
     */
    path: string
    /**
     * A distribution can be told from its content.
     */
    namesDistribution?: boolean
  }[]
  /**
   * The text that a console shows before logon; older platforms recognise the distribution by it.
   */
  issue?: {
    /**
     * generated: written by the system at each boot.
     */
    kind?: 'regular' | 'link' | 'generated' | 'missing'
    /**
     * same: the one of os/id. other: another one. none: no distribution. Leave it out for a missing file.
     */
    names?: 'same' | 'other' | 'none'
    /**
     * The file holds an escape that getty replaces with the system's name.
     */
    usesEscapes?: boolean
  }
  /**
   * GRUB legacy's menu.
   */
  menuLst?: {
    /**
     * The file (or grub.conf behind its link) exists.
     */
    present?: boolean
    /**
     * Entries with a kernel that exists in the image.
     */
    bootableEntries?: number
  }
  /**
   * The table of file systems.
   */
  fstab?: {
    /**
     * The file exists.
     */
    present?: boolean
    /**
     * Every entry that is not a comment, in the file's order. A list that is present is complete.
     *
     * @maxItems 256
     */
    entries?: FstabEntry[]
  }
  /**
   * /etc/shadow; on FreeBSD /etc/master.passwd. Permission bits do not count.
   */
  passwordFile?: {
    /**
     * In the guest.
     */
    path?: string
    /**
     * The file exists.
     */
    present?: boolean
    /**
     * The immutable attribute (chattr +i; schg or uchg) is set.
     */
    immutable?: boolean
    /**
     * The append-only attribute (chattr +a; sappnd or uappnd) is set.
     */
    appendOnly?: boolean
  }
}
/**
 * One line.
 */
export interface FstabEntry {
  /**
   * The first field as written.
   */
  source?: string
  /**
   * uuid, label, partuuid, partlabel also for the by-… links; kernel-device: /dev/sdXN and kin; mapper: /dev/mapper and logical-volume paths; file-path: swap files and bind mounts; network, pseudo, removable (optical and floppy) as their names say; other: anything else.
   */
  sourceKind:
    | 'uuid'
    | 'label'
    | 'partuuid'
    | 'partlabel'
    | 'kernel-device'
    | 'mapper'
    | 'file-path'
    | 'network'
    | 'pseudo'
    | 'removable'
    | 'other'
  /**
   * The second field; none for swap.
   */
  mountPoint?: string
  /**
   * The third field.
   */
  fileSystem?: string
  /**
   * False with the option noauto.
   */
  mountedAtBoot?: boolean
  /**
   * True with the option nofail.
   */
  noFail?: boolean
  /**
   * What the source names exists in the image: a volume with that identifier, a partition with that number, a logical volume, or the file or directory of a swap file or bind mount. Leave it out for network, pseudo, removable and other sources.
   */
  resolves?: boolean
}
/**
 * Mandatory access control, and what only an operator can attest.
 */
export interface Security {
  /**
   * What decides SELinux at the next boot.
   */
  selinux?: {
    /**
     * off: selinux=0. on: selinux=1 or security=selinux. unset: neither.
     */
    kernelCommandLine?: 'off' | 'on' | 'unset'
    /**
     * /etc/selinux/config exists.
     */
    configPresent?: boolean
    /**
     * The value of SELINUX=. Leave it out when it is none of these.
     */
    configMode?: 'disabled' | 'permissive' | 'enforcing'
    /**
     * The file is the one the distribution ships, unchanged.
     */
    configIsDistributionDefault?: boolean
  }
  /**
   * Attested: the image holds one that is known.
   */
  remotelyExploitableVulnerability?: boolean
}
/**
 * The guest's own firewall as it will be after the next boot.
 */
export interface Firewall {
  /**
   * MpsSvc (SharedAccess on Server 2003).
   */
  service?: {
    /**
     * The service's start type is disabled.
     */
    disabled?: boolean
  }
  /**
   * Server 2003 has domain and private (its standard profile) only.
   */
  profiles?: {
    domain?: FirewallProfile
    private?: FirewallProfile
    public?: FirewallProfile
  }
  /**
   * Every known packet-filter mechanism that is installed on a Linux or FreeBSD guest. Empty when none is. A list that is present is complete.
   *
   * @maxItems 32
   */
  mechanisms?: FirewallMechanism[]
}
/**
 * One profile's switches.
 */
export interface FirewallProfile {
  /**
   * EnableFirewall of the local firewall policy.
   */
  local?: 'on' | 'off'
  /**
   * EnableFirewall of the group policy, which overrides the local one; unset when there is none.
   */
  policy?: 'on' | 'off' | 'unset'
}
/**
 * One mechanism.
 */
export interface FirewallMechanism {
  /**
   * The service that loads the rules.
   */
  name:
    | 'firewalld'
    | 'susefirewall2'
    | 'ufw'
    | 'iptables'
    | 'ip6tables'
    | 'netfilter-persistent'
    | 'nftables'
    | 'pf'
    | 'ipfw'
    | 'other'
  /**
   * Its service starts at boot: enabled and not masked. pf and ipfw: pf_enable or firewall_enable is YES.
   */
  enabledAtBoot?: boolean
  /**
   * ufw: ENABLED=yes. iptables, ip6tables, netfilter-persistent, nftables and other: the rules it would load are neither empty nor accept-only. firewalld, susefirewall2, pf and ipfw filter whenever they are enabled.
   */
  filters?: boolean
}
/**
 * Network configuration that takes effect at boot.
 */
export interface Network {
  /**
   * Every interface that some configuration names, whichever carrier configures it. A list that is present is complete.
   *
   * @maxItems 256
   */
  interfaces?: NetworkInterface[]
  /**
   * What configures an interface that no configuration names. cloud-init: it is enabled and may configure the network. network-manager: its automatic connection. networkd-default: the catch-all DHCP unit that CoreOS Container Linux ships. none: nothing does.
   */
  automatic?: 'cloud-init' | 'network-manager' | 'networkd-default' | 'none'
  /**
   * Every IPv6 address written in the configuration or remembered from a lease. A list that is present is complete.
   *
   * @maxItems 256
   *
   * Items: One address.
   */
  ipv6Addresses?: {
    /**
     * Its interface.
     */
    interface?: string
    /**
     * In text form.
     */
    address?: string
    /**
     * unique-local is fc00::/7.
     */
    scope?: 'global' | 'unique-local' | 'link-local' | 'loopback'
    /**
     * configured: written down. slaac or dhcpv6: learned.
     */
    origin?: 'configured' | 'slaac' | 'dhcpv6'
  }[]
}
/**
 * One interface.
 */
export interface NetworkInterface {
  /**
   * As the configuration names it.
   */
  name?: string
  /**
   * template: a hotplug template or wildcard match that names no real interface. container: docker, podman, libvirt and kin.
   */
  kind?: 'physical' | 'loopback' | 'bridge' | 'bond' | 'vlan' | 'tunnel' | 'container' | 'template'
  /**
   * auto, ONBOOT=yes, autoconnect and their kin; false for allow-hotplug of an interface that is only a template and for ONBOOT=no.
   */
  broughtUpAtBoot?: boolean
  /**
   * The only physical interface brought up at boot, else the one that carries the default route. Leave it out on all when it cannot be told.
   */
  primary?: boolean
  /**
   * How it gets its IPv4 address.
   */
  ipv4?: 'dhcp' | 'static' | 'none'
  /**
   * What configures it.
   */
  carrier?:
    | 'ifupdown'
    | 'ifcfg'
    | 'network-manager'
    | 'netplan'
    | 'systemd-networkd'
    | 'wicked'
    | 'cloud-init'
    | 'rc.conf'
    | 'registry'
    | 'other'
}
/**
 * How an administrator reaches the running system.
 */
export interface RemoteAccess {
  /**
   * sshd and its effective configuration.
   */
  ssh?: {
    /**
     * The server program is there.
     */
    installed?: boolean
    /**
     * Its service or its socket starts at boot.
     */
    enabledAtBoot?: boolean
    /**
     * Effective ports from the default, the configuration, drop-ins and the socket unit. A list that is present is complete.
     *
     * @maxItems 64
     *
     * Items: TCP port.
     */
    ports?: number[]
    /**
     * Every listening address is a loopback address.
     */
    loopbackOnly?: boolean
    /**
     * The rules that load at boot let port 22 in. Needed only when a firewall is on.
     */
    allowedByFirewall?: boolean
  }
  /**
   * Terminal services and their port.
   */
  rdp?: {
    /**
     * fDenyTSConnections is 0; a policy value overrides the local one.
     */
    connectionsAllowed?: boolean
    /**
     * TermService's start type is disabled.
     */
    serviceDisabled?: boolean
    /**
     * PortNumber of RDP-Tcp.
     */
    port?: number
    /**
     * TCP ports on which Remote Desktop was seen listening, when the system was running. A list that is present is complete.
     *
     * @maxItems 64
     *
     * Items: TCP port.
     */
    listeningPorts?: number[]
    /**
     * An active inbound rule allows port 3389. Needed only when a firewall profile is on.
     */
    allowedByFirewall?: boolean
  }
}
/**
 * Programs that the platform needs, or must not find.
 */
export interface Agents {
  /**
   * The instance initialiser.
   */
  cloudInit?: {
    /**
     * The program or its package is there.
     */
    installed?: boolean
    /**
     * The upstream number: 0.7.6 for 0.7.6a15 too. Dotted decimal integers without leading zeros, nothing else.
     */
    version?: string
    /**
     * The text as the package or program gives it.
     */
    versionText?: string
    /**
     * alibaba: Alibaba Cloud's own builds (0.7.6aN, 19.1.N). native: any other.
     */
    build?: 'native' | 'alibaba'
  }
  /**
   * CoreOS first-boot provisioning.
   */
  ignition?: {
    /**
     * Ignition is part of the image.
     */
    installed?: boolean
  }
  /**
   * CoreOS's earlier initialiser.
   */
  coreosCloudinit?: {
    /**
     * coreos-cloudinit is part of the image.
     */
    installed?: boolean
  }
  /**
   * QEMU guest agent, running or not.
   */
  qemuGuestAgent?: {
    /**
     * Package, binary or Windows service is there, running or not.
     */
    installed?: boolean
    /**
     * Package or service name.
     */
    name?: string
  }
  /**
   * The start-up script that a customized Linux image brings.
   */
  customImageScript?: {
    /**
     * A script that starts at boot reads aliyun_custom_image/os.conf and applies it.
     */
    readsOsConf?: boolean
  }
}
/**
 * Password properties and account state. Never a password, never a hash of one.
 */
export interface Accounts {
  root?: Account
  administrator?: Account
  /**
   * Attested: the initial password must be changed at the first logon.
   */
  initialPasswordChangeForced?: boolean
  /**
   * Attested: the image brings a default SSH key pair or an authorised default key.
   */
  defaultSshKeyPair?: boolean
}
/**
 * One administrative account.
 */
export interface Account {
  /**
   * The account's name, which may have been changed.
   */
  name?: string
  /**
   * The account cannot log on. On Linux a locked password is said by password.
   */
  disabled?: boolean
  /**
   * empty: none is needed. locked: no password can match (! or * in shadow). set: one is set.
   */
  password?: 'set' | 'empty' | 'locked'
  /**
   * Attested by whoever knows the password, computed where it is known. Special characters are ( ) ` ~ ! @ # $ % ^ & * - _ + = | { } [ ] : ; ' < > , . ? /.
   */
  passwordProperties?: {
    /**
     * Unit: characters.
     */
    length?: number
    /**
     * At least one of A to Z.
     */
    hasUppercase?: boolean
    /**
     * At least one of a to z.
     */
    hasLowercase?: boolean
    /**
     * At least one of 0 to 9.
     */
    hasDigit?: boolean
    /**
     * At least one of the listed special characters.
     */
    hasSpecial?: boolean
    /**
     * At least one character of no listed class.
     */
    hasOther?: boolean
    /**
     * The first character is /.
     */
    startsWithSlash?: boolean
  }
}
/**
 * Where every fact came from, and what could not be collected and why. It is no fact: two collections of one image have equal facts digests.
 */
export interface Collection {
  /**
   * The longest pointer that is a prefix of a fact's pointer tells its source. Every fact must be covered.
   *
   * @minItems 1
   * @maxItems 256
   *
   * Items: One source of facts.
   */
  sources: {
    /**
     * The facts that it gave.
     *
     * @minItems 1
     * @maxItems 512
     *
     * Items: JSON Pointer (RFC 6901) into this document; the empty pointer means all of it.
     */
    pointers: string[]
    /**
     * The program, or the role of the person who attested.
     */
    collector: string
    /**
     * The collector's version.
     */
    version: string
    /**
     * How the facts were obtained: a command without secrets, or a file.
     */
    method: string
    /**
     * observed: read from the image or a running guest. attested: stated by somebody who vouches for it.
     */
    basis: 'observed' | 'attested'
    /**
     * When. RFC 3339, UTC.
     */
    at: string
  }[]
  /**
   * What was looked for and could not be collected.
   *
   * @maxItems 512
   *
   * Items: One fact, or a group of facts, that is absent.
   */
  missing?: {
    /**
     * JSON Pointer (RFC 6901) into this document; the empty pointer means all of it.
     */
    pointer: string
    /**
     * A short, stable reason for programs.
     */
    code: string
    /**
     * One sentence for people.
     */
    reason: string
  }[]
}
