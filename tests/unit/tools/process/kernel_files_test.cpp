#include "kernel_files.h"

#include "pid_listing.h"
#include "proc_tree.h"

#include <cerrno>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

TEST(KernelFiles, AreReadWhole) {
  const ProcTree tree;
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 1'000'000U}) {
    const std::string text(size, 'x');
    tree.write("file", text);
    KernelFiles files(tree.roots().proc);
    EXPECT_EQ(files.read("file").value(), text) << size;
    EXPECT_EQ(files.read("file").value(), text) << size << ", again";
  }
}

TEST(KernelFiles, AreNotReadWithoutEnd) {
  KernelFiles files("/dev");
  EXPECT_EQ(files.read("zero").error(), Errc::too_long);
}

TEST(KernelFiles, NeedNotBeReadWhole) {
  const ProcTree tree;
  tree.write("file", std::string(100'000, 'x'));
  KernelFiles files(tree.roots().proc);
  EXPECT_EQ(files.read_beginning("file").value(), std::string(kBeginning, 'x'));
  tree.write("file", "short");
  EXPECT_EQ(files.read_beginning("file").value(), "short");
  EXPECT_FALSE(files.read_beginning("missing"));
}

TEST(KernelFiles, SayWhyNot) {
  const ProcTree tree;
  KernelFiles files(tree.roots().proc);
  EXPECT_EQ(files.read("missing").error().value(), ENOENT);
  EXPECT_EQ(files.read("../").error().value(), EISDIR);
  KernelFiles nowhere(tree.path("missing"));
  EXPECT_FALSE(nowhere.read("uptime"));
}

TEST(PidListing, HasNumbersOnlyAndInOrder) {
  const ProcTree tree;
  for (const char* name :
       {"300/stat", "7/stat", "20/stat", "self/stat", "12x/stat", "0/stat", "99999999999/stat"}) {
    tree.write(name, "");
  }
  PidListing listing(KernelFiles(tree.roots().proc).directory());
  EXPECT_THAT(listing.read(), testing::ElementsAre(7, 20, 300));
  tree.remove(20);
  tree.write("21/stat", "");
  EXPECT_THAT(listing.read(), testing::ElementsAre(7, 21, 300));
}

TEST(PidListing, HasThisProcess) {
  const KernelFiles proc("/proc");
  PidListing listing(proc.directory());
  EXPECT_THAT(listing.read(), testing::Contains(::getpid()));
}

TEST(PidListing, IsEmptyWithoutADirectory) {
  PidListing listing(-1);
  EXPECT_THAT(listing.read(), testing::IsEmpty());
}

}  // namespace
}  // namespace metricsd::tools
