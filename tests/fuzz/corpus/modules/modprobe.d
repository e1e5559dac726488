# comment
blacklist nouveau
blacklist  nvidia-drm
options vfio-pci ids=10de:1eb8 \
  disable_vga=1
options vfio_iommu_type1 allow_unsafe_interrupts=1
install floppy /bin/true
softdep a pre: b
alias pci:v000010DE* nouveau
cmdline BOOT_IMAGE=/vmlinuz modprobe.blacklist=igb,igbvf vfio-pci.ids="a b" quiet -- x.y=1
match pci:v000010DEd00001234
