#include <metricsd/ipc/accounts.h>

#include <cerrno>
#include <charconv>
#include <concepts>
#include <limits>
#include <optional>
#include <vector>

#include <grp.h>
#include <pwd.h>

namespace metricsd::ipc {
namespace {

// The greatest number means "no change" to chown(2) and nobody to all others.
template <std::unsigned_integral Id>
std::optional<Id> to_number(const std::string& text) {
  Id number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number == std::numeric_limits<Id>::max())
    return std::nullopt;
  return number;
}

// The entry of a name, by getpwnam_r or getgrnam_r; its texts are in `buffer`.
template <class Entry, class Lookup>
Result<Entry> find(Lookup lookup, const std::string& name, std::vector<char>& buffer) {
  Entry entry{};
  Entry* found = nullptr;
  int error = 0;
  while ((error = lookup(name.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE) {
    buffer.resize(buffer.size() * 2);
  }
  if (error != 0) return error_code(error, boost::system::system_category());
  if (found == nullptr) return Errc::account_not_found;
  return entry;
}

}  // namespace

Result<uid_t> user_id(const std::string& name_or_number) {
  if (const auto number = to_number<uid_t>(name_or_number)) return *number;
  std::vector<char> buffer(1024);
  const auto user = find<passwd>(::getpwnam_r, name_or_number, buffer);
  if (!user) return user.error();
  return user->pw_uid;
}

Result<gid_t> group_id(const std::string& name_or_number) {
  if (const auto number = to_number<gid_t>(name_or_number)) return *number;
  std::vector<char> buffer(1024);
  const auto group = find<struct group>(::getgrnam_r, name_or_number, buffer);
  if (!group) return group.error();
  return group->gr_gid;
}

}  // namespace metricsd::ipc
