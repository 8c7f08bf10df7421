#include "account.h"

namespace metricsd::tools {

void Account::read(const Cost& own, const Cost& shared) {
  own_ = greatest(own_, own);
  shared_ = greatest(shared_, shared);
}

void Account::begin() {
  counted_own_ = own_;
  counted_shared_ = shared_;
}

void Account::begin_storage() {
  counted_shared_.read_bytes = shared_.read_bytes;
  counted_shared_.write_bytes = shared_.write_bytes;
}

void Account::read_final(const Cost& all) {
  shared_ = greatest(shared_, beyond(all, own_));
}

Cost Account::settle() {
  const Cost done = beyond(own_, counted_own_);
  const Cost taken_over = beyond(shared_, counted_shared_);
  const Cost paid_late = least(taken_over, lent_before_);
  const Cost rest = beyond(taken_over, paid_late);
  const Cost paid = least(rest, lent_);
  counted_own_ = own_;
  counted_shared_ = shared_;
  lent_before_ = beyond(lent_, paid);
  lent_ = {};
  return done + beyond(rest, paid);
}

}  // namespace metricsd::tools
