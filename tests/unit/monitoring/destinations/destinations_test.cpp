#include "destinations/destinations.h"

#include <metricsd/support/temporary_directory.h>

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace metricsd::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Destinations, AGatewaysUrlIsCheckedAtOnce) {
  for (const char* url : {"localhost:9091", "ftp://host", "mqtt://host", "http://host?x", "Spawn"}) {
    std::string why;
    EXPECT_FALSE(make_push_destination({.url = url}, "ns", why)) << url;
    EXPECT_THAT(why, HasSubstr(url));
  }
  std::string why;
  EXPECT_TRUE(make_push_destination({.url = "https://host/path"}, "ns", why)) << why;
  EXPECT_FALSE(make_push_destination({.url = "http://host"}, "no namespace", why));
  EXPECT_THAT(why, HasSubstr("no namespace"));
}

MqttOptions mqtt(std::string url) {
  MqttOptions options;
  options.url = std::move(url);
  return options;
}

TEST(Destinations, ABrokersUrlIsCheckedAtOnce) {
  for (const char* url :
       {"localhost", "http://host", "mqtt://host/topic", "mqtt://", "mqtt://user:secret@host"}) {
    std::string why;
    EXPECT_FALSE(make_mqtt_destination(mqtt(url), "node", why)) << url;
    EXPECT_THAT(why, HasSubstr("mqtt"));
  }
  for (const char* url : {"mqtt://host", "mqtts://host:8884", "mqtt://[::1]/"}) {
    std::string why;
    EXPECT_TRUE(make_mqtt_destination(mqtt(url), "node", why)) << why;
  }
}

TEST(Destinations, APasswordInAUrlIsNotSaid) {
  std::string why;
  EXPECT_FALSE(make_push_destination({.url = "http://user:secret@host:1"}, "ns", why));
  EXPECT_EQ(why, "'http://host:1' is not http[s]://HOST[:PORT][/PATH], nor spawn: a user has no place in it");
  EXPECT_FALSE(make_mqtt_destination(mqtt("mqtt://user:secret@host"), "node", why));
  EXPECT_THAT(why, AllOf(HasSubstr("'mqtt://host'"), HasSubstr("--mqtt.credentials")));
}

TEST(Destinations, SoIsATopic) {
  for (const char* topic : {"", "a/#", "{host}/x"}) {
    MqttOptions options = mqtt("mqtt://host");
    options.topic = topic;
    std::string why;
    EXPECT_FALSE(make_mqtt_destination(options, "node", why)) << topic;
    EXPECT_THAT(why, HasSubstr("makes no topic"));
  }
}

TEST(Destinations, SoAreFiles) {
  const support::TemporaryDirectory directory;
  MqttOptions options = mqtt("mqtts://host");
  options.credentials_file = directory.path() / "credentials";
  std::string why;
  EXPECT_FALSE(make_mqtt_destination(options, "node", why));
  EXPECT_THAT(why, HasSubstr("credentials"));
  std::ofstream(options.credentials_file) << "user\nsecret\n";
  ::chmod(options.credentials_file.c_str(), 0600);
  EXPECT_TRUE(make_mqtt_destination(options, "node", why)) << why;
  options.ca_file = directory.path() / "authorities";
  EXPECT_FALSE(make_mqtt_destination(options, "node", why));
  EXPECT_THAT(why, HasSubstr("authorities"));
}

}  // namespace
}  // namespace metricsd::tools
