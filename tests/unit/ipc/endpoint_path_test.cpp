#include <metricsd/ipc/endpoint_path.h>

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

using ::testing::ElementsAre;

Environment environment(uid_t uid, std::map<std::string, std::string, std::less<>> variables = {}) {
  const auto variable = [variables =
                             std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return {variable, uid};
}

const std::map<std::string, std::string, std::less<>> kAll{{"METRICSD_SOCKET", "/variable.sock"},
                                                           {"RUNTIME_DIRECTORY", "/run/service:/run/second"},
                                                           {"XDG_RUNTIME_DIR", "/run/user/1000"}};

TEST(ListenPath, PrefersWhatItIsTold) {
  EXPECT_EQ(listen_path("/told.sock", environment(1000, kAll)), "/told.sock");
}

TEST(ListenPath, TakesTheVariableNext) {
  EXPECT_EQ(listen_path("", environment(0, kAll)), "/variable.sock");
}

TEST(ListenPath, TakesTheFirstDirectoryOfAService) {
  auto variables = kAll;
  variables.erase("METRICSD_SOCKET");
  EXPECT_EQ(listen_path("", environment(0, variables)), "/run/service/metricsd.sock");
  EXPECT_EQ(listen_path("", environment(1000, variables)), "/run/service/metricsd.sock");
}

TEST(ListenPath, IsTheSystemsForRoot) {
  EXPECT_EQ(listen_path("", environment(0, {{"XDG_RUNTIME_DIR", "/run/user/0"}})),
            "/run/metricsd/metricsd.sock");
}

TEST(ListenPath, IsTheUsersOwnForOthers) {
  EXPECT_EQ(listen_path("", environment(1000, {{"XDG_RUNTIME_DIR", "/run/user/1000"}})),
            "/run/user/1000/metricsd/metricsd.sock");
  EXPECT_EQ(listen_path("", environment(1000)), "/tmp/metricsd-1000/metricsd.sock");
}

TEST(ListenPath, TakesAnEmptyVariableForNone) {
  EXPECT_EQ(listen_path(
                "", environment(
                        1000, {{"METRICSD_SOCKET", ""}, {"RUNTIME_DIRECTORY", ""}, {"XDG_RUNTIME_DIR", ""}})),
            "/tmp/metricsd-1000/metricsd.sock");
}

TEST(ListenPath, IgnoresARelativeXdgDirectory) {
  EXPECT_EQ(listen_path("", environment(1000, {{"XDG_RUNTIME_DIR", "here"}})),
            "/tmp/metricsd-1000/metricsd.sock");
}

TEST(ConnectPaths, AreOneWhereItIsTold) {
  EXPECT_THAT(connect_paths("/told.sock", environment(1000, kAll)), ElementsAre("/told.sock"));
  EXPECT_THAT(connect_paths("", environment(1000, kAll)), ElementsAre("/variable.sock"));
}

TEST(ConnectPaths, AreAllThatADaemonCouldHave) {
  EXPECT_THAT(connect_paths("", environment(1000, {{"XDG_RUNTIME_DIR", "/run/user/1000"}})),
              ElementsAre("/run/user/1000/metricsd/metricsd.sock", "/tmp/metricsd-1000/metricsd.sock",
                          "/run/metricsd/metricsd.sock"));
  EXPECT_THAT(connect_paths("", environment(0)),
              ElementsAre("/tmp/metricsd-0/metricsd.sock", "/run/metricsd/metricsd.sock"));
}

TEST(ConnectPaths, DoNotHeedWhatIsMadeForAService) {
  EXPECT_THAT(connect_paths("", environment(7, {{"RUNTIME_DIRECTORY", "/run/other"}})),
              ElementsAre("/tmp/metricsd-7/metricsd.sock", "/run/metricsd/metricsd.sock"));
}

TEST(ConnectPaths, IncludeEveryPathThatADaemonOfTheSameUserChoosesByItself) {
  for (const Environment& each :
       {environment(0), environment(1000), environment(1000, {{"XDG_RUNTIME_DIR", "/x"}})}) {
    EXPECT_THAT(connect_paths("", each), ::testing::Contains(listen_path("", each)));
  }
}

TEST(SegmentDirectories, AreBesideTheSocketsThatADaemonCouldHave) {
  EXPECT_THAT(segment_directories("/x/y.sock", environment(1000)), ElementsAre("/x/segments"));
  EXPECT_THAT(segment_directories("", environment(1000, {{"METRICSD_SOCKET", "/x/y.sock"}})),
              ElementsAre("/x/segments"));
  EXPECT_THAT(segment_directories("", environment(1000, {{"XDG_RUNTIME_DIR", "/run/user/1000"}})),
              ElementsAre("/run/user/1000/metricsd/segments", "/tmp/metricsd-1000/segments",
                          "/run/metricsd/segments", "/dev/shm/metricsd-1000/segments"));
  EXPECT_THAT(
      segment_directories("", environment(0)),
      ElementsAre("/run/metricsd/segments", "/tmp/metricsd-0/segments", "/dev/shm/metricsd-0/segments"));
  for (const Environment& each :
       {environment(0), environment(1000), environment(1000, {{"XDG_RUNTIME_DIR", "/x"}})}) {
    EXPECT_THAT(segment_directories("", each), ::testing::Contains(segment_directory(listen_path("", each))));
  }
}

TEST(SegmentDirectories, OfAUsersPlainSocketEndWithTheSharedMemory) {
  EXPECT_THAT(segment_directories_of("/run/metricsd/metricsd.sock", environment(0)),
              ElementsAre("/run/metricsd/segments", "/dev/shm/metricsd-0/segments"));
  EXPECT_THAT(segment_directories("/tmp/metricsd-7/metricsd.sock", environment(7)),
              ElementsAre("/tmp/metricsd-7/segments", "/dev/shm/metricsd-7/segments"));
}

TEST(SegmentDirectories, OfASocketOfItsOwnAreNotSharedWithOtherDaemons) {
  EXPECT_THAT(segment_directories_of("/x/y.sock", environment(0)), ElementsAre("/x/segments"));
  EXPECT_THAT(segment_directories_of("/run/metricsd/metricsd.sock", environment(7)),
              ElementsAre("/run/metricsd/segments"));
  EXPECT_THAT(
      segment_directories_of("/z/metricsd/metricsd.sock", environment(7, {{"XDG_RUNTIME_DIR", "/z"}})),
      ElementsAre("/z/metricsd/segments"));
}

TEST(SegmentDirectories, OfADaemonAreThoseOfItsClients) {
  for (const Environment& each :
       {environment(0), environment(1000), environment(1000, {{"XDG_RUNTIME_DIR", "/x"}})}) {
    EXPECT_THAT(segment_directories("", each),
                ::testing::IsSupersetOf(segment_directories_of(listen_path("", each), each)));
  }
}

TEST(Environment, OfTheProcessReadsItsVariables) {
  const Environment own = Environment::of_process();
  EXPECT_EQ(own.uid, ::geteuid());
  EXPECT_TRUE(own.variable("PATH").has_value());
  EXPECT_FALSE(own.variable("METRICSD_NO_SUCH_VARIABLE").has_value());
}

}  // namespace
}  // namespace metricsd::ipc
