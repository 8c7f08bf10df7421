#include <metricsd/exporters/file_source.h>
#include <metricsd/exporters/member_record.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <optional>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace metricsd::exporters {
namespace {

namespace json = boost::json;

std::uint64_t count_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return 0;
  error_code not_a_count;
  const auto count = value->to_number<std::uint64_t>(not_a_count);
  return not_a_count ? 0 : count;
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

DropCounts drops_of(const json::object& object) {
  DropCounts dropped;
  const json::value* sinks = object.if_contains("dropped");
  if (sinks == nullptr || !sinks->is_object()) return dropped;
  for (const auto& sink : sinks->get_object()) {
    if (!sink.value().is_object()) continue;
    const json::object& causes = sink.value().get_object();
    for (const auto& cause : causes) dropped[sink.key()][cause.key()] = count_of(causes, cause.key());
  }
  return dropped;
}

std::optional<MemberRecord> parse_member(std::string_view line) {
  const Result<json::value> value = parse_json(line);
  if (!value || !value->is_object()) return std::nullopt;
  const json::object& object = value->get_object();
  const Result<Timestamp> start = parse_timestamp(text_of(object, "start_time"));
  const Result<Timestamp> end = parse_timestamp(text_of(object, "end_time"));
  if (!start || !end) return std::nullopt;
  return MemberRecord{.client_id = std::string(text_of(object, "client_id")),
                      .pid = static_cast<std::int64_t>(count_of(object, "pid")),
                      .start_time = *start,
                      .end_time = *end,
                      .users = count_of(object, "users"),
                      .recorded = count_of(object, "recorded"),
                      .dropped = drops_of(object)};
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
  writer.key("dropped").begin_object();
  for (const auto& [sink, causes] : member.dropped) {
    writer.key(sink).begin_object();
    for (const auto& [cause, count] : causes) writer.field(cause, count);
    writer.end_object();
  }
  writer.end_object().end_object();
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
    for (const auto& [sink, causes] : member.dropped) {
      for (const auto& [cause, count] : causes) dropped[sink][cause] += count;
    }
  }
  return dropped;
}

}  // namespace metricsd::exporters
