#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace riskcurve {

/// What takes long to compute and is asked for again and again by few keys: the last of them are
/// kept. Safe from several threads, each value computed once; `make` may depend on the key alone.
template <class Key, class Value>
class Memo {
 public:
  template <class Make>
  std::shared_ptr<const Value> operator()(const Key& key, const Make& make) {
    const std::shared_ptr<Kept> entry = entry_of(key);
    std::call_once(entry->filled, [&] { entry->value = make(); });
    return {entry, &*entry->value};
  }

 private:
  struct Kept {
    std::once_flag filled;
    std::optional<Value> value;
  };
  std::shared_ptr<Kept> entry_of(const Key& key) {
    const std::lock_guard<std::mutex> hold(lock_);
    const auto found = kept_.find(key);
    if (found != kept_.end()) return found->second;
    if (kept_.size() >= kMost) kept_.clear();
    return kept_.emplace(key, std::make_shared<Kept>()).first->second;
  }

  static constexpr std::size_t kMost = 64;
  std::mutex lock_;
  std::map<Key, std::shared_ptr<Kept>> kept_;
};

}  // namespace riskcurve
