#include "ops/fourier_shared.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/check.h"

namespace lanthorn {
namespace {

Complex unit(double turns) {
  constexpr double kTwoPi = 6.283185307179586476925;
  return {std::cos(kTwoPi * turns), std::sin(kTwoPi * turns)};
}

// Cooley and Tukey's transform of a power of two, without the inverse's division.
void butterflies(std::vector<Complex>& line, const std::vector<Complex>& roots) {
  const size_t n = line.size();
  for (size_t i = 1, j = 0; i < n; ++i) {
    size_t bit = n >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(line[i], line[j]);
  }
  for (size_t size = 2; size <= n; size *= 2) {
    for (size_t begin = 0; begin < n; begin += size) {
      for (size_t i = 0; i < size / 2; ++i) {
        const Complex a = line[begin + i];
        const Complex b = line[begin + i + size / 2] * roots[i * (n / size)];
        line[begin + i] = {a.real + b.real, a.imaginary + b.imaginary};
        line[begin + i + size / 2] = {a.real - b.real, a.imaginary - b.imaginary};
      }
    }
  }
}

void conjugate(std::vector<Complex>& line) {
  for (Complex& number : line) number.imaginary = -number.imaginary;
}

}  // namespace

Fourier::Fourier(size_t length, bool inverse) : length_(length), inverse_(inverse) {
  LAN_CHECK(length >= 1);
  const bool plain = std::has_single_bit(length);
  const size_t size = plain ? length : std::bit_ceil(2 * length);
  for (size_t i = 0; i < size / 2; ++i) {
    roots_.push_back(unit(-static_cast<double>(i) / static_cast<double>(size)));
  }
  if (plain) return;
  // Bluestein: a product with a chirp turns the transform into a convolution.
  filter_.resize(size);
  for (size_t i = 0; i < length; ++i) {
    const uint64_t square = uint64_t{i} * i % (2 * length);
    chirp_.push_back(unit(-static_cast<double>(square) / static_cast<double>(2 * length)));
    filter_[i] = {chirp_[i].real, -chirp_[i].imaginary};
    if (i > 0) filter_[size - i] = filter_[i];
  }
  butterflies(filter_, roots_);
}

void Fourier::run(std::vector<Complex>& line) const {
  LAN_CHECK(line.size() == length_);
  if (inverse_) conjugate(line);
  if (chirp_.empty()) {
    butterflies(line, roots_);
  } else {
    std::vector<Complex> padded(filter_.size());
    for (size_t i = 0; i < length_; ++i) padded[i] = line[i] * chirp_[i];
    butterflies(padded, roots_);
    for (size_t i = 0; i < padded.size(); ++i) padded[i] = padded[i] * filter_[i];
    conjugate(padded);
    butterflies(padded, roots_);
    const double scale = 1.0 / static_cast<double>(padded.size());
    for (size_t i = 0; i < length_; ++i) {
      const Complex back{padded[i].real * scale, -padded[i].imaginary * scale};
      line[i] = back * chirp_[i];
    }
  }
  if (!inverse_) return;
  const double scale = 1.0 / static_cast<double>(length_);
  for (Complex& number : line) number = {number.real * scale, -number.imaginary * scale};
}

}  // namespace lanthorn
