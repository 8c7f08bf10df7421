#include <metricsd/exporters/file_source.h>

#include <fstream>

namespace metricsd::exporters {

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_size) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return error_code(error);
  if (size > max_size) return Errc::too_long;
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  if (!file) return make_error_code(boost::system::errc::io_error);
  return text;
}

}  // namespace metricsd::exporters
