// The book of one process: how much of what the kernel says of it has not been counted before.
//
// When a process waits for a child that has ended, the kernel adds all that the child had used, and all that
// it had waited for, to the waiting one's own figures: CPU to cutime and cstime, storage to the very figures
// in /proc/PID/io. Of that child we have counted what we saw while it lived. So a child that is gone leaves a
// debt with its parent: what appears in the parent's figures pays the debt first, and only what is beyond it
// is new: the child's last moments, and children that nobody saw.
//
// A debt may be paid one sample late, since files of several processes are not read at one moment. Then it is
// forgiven: nobody waited (SIGCHLD is ignored), or it was somebody outside. Parents are read before their
// children, so that a child that is there was not yet in its parent's figures.
#pragma once

#include "cost.h"

namespace metricsd::tools {

class Account {
 public:
  // What the kernel says now. `own` is what it did itself and nobody else's is ever added to: its CPU.
  // `shared` is what waited-for children are added to. A figure that has fallen stays what it was.
  void read(const Cost& own, const Cost& shared);
  // What it has done until now is somebody else's: nothing of what was read is counted.
  void begin();
  // The same of its storage alone, where that was read for the first time.
  void begin_storage();
  // It has ended, and this is the last word on all of both.
  void read_final(const Cost& all);

  // A child is gone: what was counted of it may appear here.
  void lend(const Cost& debt) { lent_ += debt; }
  // What its parent may get to see when it is gone itself.
  [[nodiscard]] Cost debt() const { return counted_own_ + counted_shared_ + lent_ + lent_before_; }

  // What is new since the last settling. Once a sample, after all that was to be lent.
  [[nodiscard]] Cost settle();

  // What it did itself, as it was last read.
  [[nodiscard]] const Cost& own() const { return own_; }
  [[nodiscard]] const Cost& shared() const { return shared_; }

 private:
  Cost own_, shared_;                  // as read
  Cost counted_own_, counted_shared_;  // as settled
  Cost lent_, lent_before_;
};

}  // namespace metricsd::tools
