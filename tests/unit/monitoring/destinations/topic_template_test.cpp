#include "destinations/topic_template.h"

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

constexpr TopicValues kValues{.domain = "d", .channel = "c", .node = "n", .task = "t_1"};

TEST(TopicTemplate, PutsValuesInTheirPlaces) {
  EXPECT_EQ(expand_topic("m/{domain}/c/{channel}/metrics/proplet", kValues), "m/d/c/c/metrics/proplet");
  EXPECT_EQ(expand_topic("{node}/{task}/{task}", kValues), "n/t_1/t_1");
  EXPECT_EQ(expand_topic("plain", kValues), "plain");
}

TEST(TopicTemplate, AValueStaysWithinItsLevel) {
  EXPECT_EQ(expand_topic("a/{node}", {"", "", "x/y+z#\n", ""}), "a/x_y_z__");
}

TEST(TopicTemplate, RefusesWhatItDoesNotKnow) {
  for (const char* topic : {"{host}", "{", "}", "{}", "a{node", "node}", "{{node}}", "{Node}"}) {
    EXPECT_FALSE(expand_topic(topic, kValues)) << topic;
  }
}

}  // namespace
}  // namespace metricsd::tools
