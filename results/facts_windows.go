package results

import (
	"syscall"
	"unsafe"
)

// cpuModel reads the name that Windows shows for the first CPU.
func cpuModel() string {
	return registry(`HARDWARE\DESCRIPTION\System\CentralProcessor\0`, "ProcessorNameString")
}

func kernel() string {
	return registry(`SOFTWARE\Microsoft\Windows NT\CurrentVersion`, "CurrentBuildNumber")
}

func governor() string { return "" } // a power plan, not a governor

// registry returns a string value below HKEY_LOCAL_MACHINE, or "" if there is none.
func registry(path, name string) string {
	pathPtr, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return ""
	}
	namePtr, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return ""
	}
	var key syscall.Handle
	if err := syscall.RegOpenKeyEx(syscall.HKEY_LOCAL_MACHINE, pathPtr, 0, syscall.KEY_READ, &key); err != nil {
		return ""
	}
	defer syscall.RegCloseKey(key)
	var buf [256]uint16
	size := uint32(unsafe.Sizeof(buf))
	var kind uint32
	if err := syscall.RegQueryValueEx(key, namePtr, nil, &kind, (*byte)(unsafe.Pointer(&buf[0])), &size); err != nil || kind != syscall.REG_SZ {
		return ""
	}
	return syscall.UTF16ToString(buf[:])
}
