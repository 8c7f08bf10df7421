#include <metricsd/ipc/passed_descriptor.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

class PassedDescriptorTest : public ::testing::Test {
 protected:
  PassedDescriptorTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    here_ = UniqueFd(ends[0]);
    there_ = UniqueFd(ends[1]);
  }
  ssize_t send(std::string_view bytes, int descriptor = -1) const {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    return send_parts(here_.get(), {&part, 1}, descriptor);
  }
  std::string receive_text(UniqueFd& passed, std::size_t most = 100) const {
    std::string text(most, '\0');
    const ssize_t size = receive(there_.get(), text, passed);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }
  static std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  }

  UniqueFd here_;
  UniqueFd there_;
};

ino_t inode_of(int fd) {
  struct stat status {};
  EXPECT_EQ(::fstat(fd, &status), 0);
  return status.st_ino;
}

TEST_F(PassedDescriptorTest, ComesWithTheFirstByte) {
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(send("hello\n", file.get()), 6);
  UniqueFd passed;
  EXPECT_EQ(receive_text(passed, 1), "h");
  ASSERT_TRUE(passed.valid());
  EXPECT_EQ(inode_of(passed.get()), inode_of(file.get()));
  EXPECT_EQ(::fcntl(passed.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  UniqueFd none;
  EXPECT_EQ(receive_text(none), "ello\n");
  EXPECT_FALSE(none.valid());
}

TEST_F(PassedDescriptorTest, GoesWithBytesFromSeveralPlaces) {
  std::array<std::string, 3> texts{"one\n", "two\n", "three\n"};
  std::array<iovec, 3> parts{};
  std::transform(texts.begin(), texts.end(), parts.begin(), [](std::string& text) {
    return iovec{text.data(), text.size()};
  });
  EXPECT_EQ(send_parts(here_.get(), parts), 14);
  UniqueFd passed;
  EXPECT_EQ(receive_text(passed), "one\ntwo\nthree\n");
  EXPECT_FALSE(passed.valid());
}

TEST_F(PassedDescriptorTest, OneThatComesLaterTakesThePlaceOfTheOneBefore) {
  const std::ptrdiff_t before = open_descriptors();
  {
    UniqueFd passed;
    for (int i = 0; i < 10; ++i) {
      const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      ASSERT_EQ(send("x", file.get()), 1);
      EXPECT_EQ(receive_text(passed), "x");
    }
    EXPECT_EQ(open_descriptors(), before + 1);
  }
  EXPECT_EQ(open_descriptors(), before);
}

// As a hostile peer sends them.
void send_many(int socket, std::size_t count) {
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::vector<int> descriptors(count, file.get());
  std::vector<char> room(CMSG_SPACE(count * sizeof(int)));
  char byte = 'x';
  iovec part{&byte, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(header), descriptors.data(), count * sizeof(int));
  ASSERT_EQ(::sendmsg(socket, &message, 0), 1);
}

TEST_F(PassedDescriptorTest, OfManyTheFirstIsKeptAndNoneLeaks) {
  const std::ptrdiff_t before = open_descriptors();
  for (const std::size_t count : {2U, 3U, 100U, 250U}) {
    send_many(here_.get(), count);
    UniqueFd passed;
    EXPECT_EQ(receive_text(passed), "x");
    EXPECT_TRUE(passed.valid());
    EXPECT_EQ(open_descriptors(), before + 1);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(PassedDescriptorTest, APlainReadTakesNone) {
  const std::ptrdiff_t before = open_descriptors();
  send_many(here_.get(), 100);
  char byte = 0;
  EXPECT_EQ(::recv(there_.get(), &byte, 1, 0), 1);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(PassedDescriptorTest, SaysThatThereIsNothing) {
  UniqueFd passed;
  std::array<char, 8> buffer{};
  EXPECT_EQ(receive(there_.get(), buffer, passed), -1);
  EXPECT_EQ(errno, EAGAIN);
  here_ = UniqueFd();
  EXPECT_EQ(receive(there_.get(), buffer, passed), 0);
}

}  // namespace
}  // namespace metricsd::ipc
