#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace lanthorn {

/// Floats on a 64-byte boundary, not initialized. Throws std::bad_alloc, which the public boundary
/// turns into kOutOfMemory.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  explicit FloatBuffer(size_t count)
      : data_(static_cast<float*>(
            ::operator new(count * sizeof(float) + kAlign, std::align_val_t{kAlign}))),
        size_(count) {}

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kAlign = 64;  // the widest vector
  struct Free {
    void operator()(float* p) const { ::operator delete(p, std::align_val_t{kAlign}); }
  };
  std::unique_ptr<float[], Free> data_;
  size_t size_ = 0;
};

}  // namespace lanthorn
