#include <metricsd/ipc/passed_descriptor.h>

#include <cstddef>
#include <cstring>

#include <sys/socket.h>

namespace metricsd::ipc {
namespace {

// Room for one descriptor, and for no more: CMSG_SPACE() would round up to two.
struct OneDescriptor {
  static constexpr std::size_t kBytes = CMSG_LEN(sizeof(int));

  alignas(cmsghdr) std::byte bytes[CMSG_SPACE(sizeof(int))]{};
};

}  // namespace

ssize_t send_parts(int socket, std::span<const iovec> parts, int descriptor) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  OneDescriptor room;
  if (descriptor != -1) {
    message.msg_control = room.bytes;
    message.msg_controllen = OneDescriptor::kBytes;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = OneDescriptor::kBytes;
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t receive(int socket, std::span<char> buffer, UniqueFd& passed) {
  iovec part{buffer.data(), buffer.size()};
  OneDescriptor room;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes;
  message.msg_controllen = OneDescriptor::kBytes;
  const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return size;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != OneDescriptor::kBytes) {
    return size;
  }
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  passed = UniqueFd(descriptor);
  return size;
}

}  // namespace metricsd::ipc
