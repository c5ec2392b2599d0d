#pragma once

#include <cstddef>
#include <initializer_list>

namespace lanthorn {

/// Up to `N` items stored in place, so that a table holding one needs no code at start-up.
template <class T, size_t N>
class FixedList {
 public:
  constexpr FixedList() = default;
  constexpr FixedList(std::initializer_list<T> items) {
    for (const T& item : items) items_[size_++] = item;
  }
  constexpr const T* begin() const { return items_; }
  constexpr const T* end() const { return items_ + size_; }
  constexpr size_t size() const { return size_; }
  constexpr const T& operator[](size_t i) const { return items_[i]; }

 private:
  T items_[N] = {};
  size_t size_ = 0;
};

}  // namespace lanthorn
