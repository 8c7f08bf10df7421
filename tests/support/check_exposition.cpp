// usage: metricsd_check_exposition [--except PREFIX]... [FILE...]
//        metricsd_check_exposition [--except PREFIX]... --watch
//
// Scrapes of one daemon, in the order in which they were taken, from files or, without any, one from standard
// input: each must pass the strict parser, and no counter may fall from one to the next. Says on standard
// output what is wrong, a line each; exit code 1 where anything is, 2 for wrong usage.
//
// --watch is for who scrapes as it goes: it reads the size of a page in decimal, a newline and the page,
// again and again, and answers each at once with one line: "ok SERIES", or "wrong" or "fallen" and what. Exit
// code as above.
//
// --except leaves families whose name begins so out of the second rule: `process_` for a daemon that was
// started anew.

#include <metricsd/support/exposition_parser.h>
#include <metricsd/support/fallen_counters.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace metricsd::support;

constexpr int kWrong = 1;
constexpr int kUsage = 2;

class Checker {
 public:
  explicit Checker(std::vector<std::string> excepted) : excepted_(std::move(excepted)) {}

  // What is wrong with the next page; begins with "wrong" or "fallen".
  [[nodiscard]] std::vector<std::string> check(std::string_view text) {
    std::vector<std::string> faults;
    try {
      ExpositionPage page = parse_exposition(text);
      if (last_) faults = fallen_counters(*last_, page, excepted_);
      for (std::string& fault : faults) fault.insert(0, "fallen ");
      last_ = std::move(page);
    } catch (const ExpositionError& error) {
      faults.push_back(std::string("wrong ") + error.what());
    }
    if (!faults.empty()) failed_ = true;
    return faults;
  }

  [[nodiscard]] std::size_t series() const {
    std::size_t count = 0;
    for (const ExpositionFamily& family : last_->families) count += family.samples.size();
    return count;
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::vector<std::string> excepted_;
  std::optional<ExpositionPage> last_;
  bool failed_ = false;
};

std::string on_one_line(const std::vector<std::string>& faults) {
  constexpr std::size_t kMost = 20;
  std::string line;
  for (std::size_t i = 0; i < faults.size() && i < kMost; ++i) line += (i == 0 ? "" : "; ") + faults[i];
  if (faults.size() > kMost) line += "; and " + std::to_string(faults.size() - kMost) + " more";
  for (char& c : line) c = c == '\n' ? ' ' : c;
  return line;
}

int watch(Checker& checker) {
  std::string size;
  std::string page;
  while (std::getline(std::cin, size)) {
    page.resize(std::strtoull(size.c_str(), nullptr, 10));
    if (!std::cin.read(page.data(), static_cast<std::streamsize>(page.size()))) {
      std::cerr << "a page that ends before its size\n";
      return kUsage;
    }
    const std::vector<std::string> faults = checker.check(page);
    std::cout << (faults.empty() ? "ok " + std::to_string(checker.series()) : on_one_line(faults))
              << std::endl;
  }
  return checker.failed() ? kWrong : EXIT_SUCCESS;
}

void check_stream(Checker& checker, const std::string& name, std::istream& stream) {
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  for (const std::string& fault : checker.check(text)) std::cout << name << ": " << fault << '\n';
}

int check_files(Checker& checker, const std::vector<std::string>& files) {
  if (files.empty()) check_stream(checker, "-", std::cin);
  for (const std::string& file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
      std::cerr << "metricsd_check_exposition: cannot read " << file << '\n';
      return kUsage;
    }
    check_stream(checker, file, stream);
  }
  return checker.failed() ? kWrong : EXIT_SUCCESS;
}

int usage() {
  std::cerr << "usage: metricsd_check_exposition [--except PREFIX]... [--watch | FILE...]\n";
  return kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> excepted;
  std::vector<std::string> files;
  bool watches = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--except" && i + 1 < argc) {
      excepted.emplace_back(argv[++i]);
    } else if (word == "--watch") {
      watches = true;
    } else if (word.starts_with("-")) {
      return usage();
    } else {
      files.emplace_back(word);
    }
  }
  if (watches && !files.empty()) return usage();
  Checker checker(std::move(excepted));
  return watches ? watch(checker) : check_files(checker, files);
}
