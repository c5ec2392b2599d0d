#pragma once

#include <cstddef>
#include <vector>

namespace lanthorn {

struct Complex {
  double real = 0, imaginary = 0;
};
inline Complex operator*(const Complex& a, const Complex& b) {
  return {a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real};
}

/// Discrete Fourier transforms of one length (>= 1), in n log n steps for every length. The inverse
/// divides by the length.
class Fourier {
 public:
  Fourier(size_t length, bool inverse);
  /// Transforms `line` in place; it must have the length.
  void run(std::vector<Complex>& line) const;

 private:
  size_t length_ = 1;
  bool inverse_ = false;
  std::vector<Complex> roots_;   // of unity, of the power of two that is used
  std::vector<Complex> chirp_;   // empty where the length is a power of two
  std::vector<Complex> filter_;  // the chirp's transform
};

}  // namespace lanthorn
