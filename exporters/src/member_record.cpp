#include <metricsd/exporters/file_source.h>
#include <metricsd/exporters/member_record.h>
#include <metricsd/models/drop_counts.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/json/fields.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <optional>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace metricsd::exporters {
namespace {

namespace json = boost::json;

std::optional<MemberRecord> parse_member(std::string_view line) {
  const Result<json::value> document = parse_json(line);
  if (!document || !document->is_object()) return std::nullopt;
  FieldReader fields(document->get_object());
  MemberRecord member;
  member.client_id = fields.required("client_id", any_text);
  member.pid = static_cast<std::int64_t>(fields.required("pid", whole_up_to(limits::kWhole)));
  member.start_time = fields.required("start_time", read_timestamp);
  member.end_time = fields.required("end_time", read_timestamp);
  member.users = fields.required("users", whole_up_to(limits::kWhole));
  member.recorded = fields.required("recorded", whole_up_to(limits::kWhole));
  member.dropped = fields.required("dropped", read_drop_counts);
  if (fields.fault()) return std::nullopt;
  return member;
}

}  // namespace

void append_member(std::string& out, const MemberRecord& member) {
  JsonWriter writer(out);
  writer.begin_object()
      .field("client_id", member.client_id)
      .field("pid", member.pid)
      .field("start_time", format_timestamp(member.start_time))
      .field("end_time", format_timestamp(member.end_time))
      .field("users", member.users)
      .field("recorded", member.recorded);
  write_drop_counts(writer.key("dropped"), member.dropped);
  writer.end_object();
  out.push_back('\n');
}

std::vector<MemberRecord> parse_members(std::string_view content) {
  std::vector<MemberRecord> members;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    if (auto member = parse_member(content.substr(0, end))) members.push_back(std::move(*member));
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return members;
}

Result<std::vector<MemberRecord>> read_members(const std::filesystem::path& directory) {
  const Result<std::string> content = read_file(directory / kMembersFile, limits::kMembersFile);
  if (!content) return content.error();
  return parse_members(*content);
}

DropCounts merge_members(const std::vector<MemberRecord>& members, Run& run) {
  const bool any_recorded = std::any_of(members.begin(), members.end(),
                                        [](const MemberRecord& member) { return member.recorded > 0; });
  DropCounts dropped;
  run.num_users = 0;
  for (const MemberRecord& member : members) {
    run.start_time = std::min(run.start_time.value_or(member.start_time), member.start_time);
    if (member.recorded > 0 || !any_recorded) {
      run.end_time = std::max(run.end_time.value_or(member.end_time), member.end_time);
    }
    run.num_users += member.users;
    merge(dropped, member.dropped);
  }
  return dropped;
}

}  // namespace metricsd::exporters
