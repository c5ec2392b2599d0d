#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "formats/format.h"
#include "tests/golden/golden.h"

namespace lanthorn {
namespace {

// Real files, broken in many ways, must give an answer: contents or a sentence. The sanitizers of
// the build see to the rest.

constexpr const char* kFiles[] = {
    "torch/state.pth",       "torch/state_legacy.pth", "torch/state_legacy_p4.pth",
    "torch/state_plain.pkl", "torch/views.pth",        "torch/bits.pth",
    "torch/sparse.pth",      "torch/quantized.pth",    "torch/module.pth",
    "torch/checkpoint.pth",  "npy/text.npy",           "npy/fortran.npy",
    "npy/arrays.npz",        "npy/compressed.npz",     "safetensors/small.safetensors",
};

std::vector<std::byte> load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> chars(std::istreambuf_iterator<char>(file), {});
  const auto bytes = std::as_bytes(std::span(chars));
  return {bytes.begin(), bytes.end()};
}

/// Reads what is there and touches every tensor; true if it could be read.
bool survives(std::span<const std::byte> bytes) {
  ReadLimits limits;
  limits.max_memory_bytes = 16 << 20;
  const auto contents = read_bytes(MappedFile::of(bytes), limits);
  if (!contents) {
    EXPECT_FALSE(contents.error().message.empty());
    EXPECT_NE(contents.error().code, ErrorCode::kInternal) << contents.error().text();
    return false;
  }
  for (const NamedTensor& named : contents->tensors.entries()) {
    if (named.tensor.byte_size() > (1 << 20)) continue;
    EXPECT_TRUE(named.tensor.contiguous().ok());
  }
  return true;
}

class Mutation : public testing::TestWithParam<const char*> {};

TEST_P(Mutation, a_file_cut_short_is_refused) {
  const auto bytes = load(golden(GetParam()));
  ASSERT_TRUE(survives(bytes)) << "the whole file must be good";
  const size_t step = bytes.size() / 300 + 1;
  for (size_t size = 0; size < bytes.size();
       size += size < 64 || size + 64 > bytes.size() ? 1 : step) {
    EXPECT_FALSE(survives(std::span(bytes).first(size)))
        << "cut to " << size << " of " << bytes.size();
  }
}

TEST_P(Mutation, a_flipped_bit_gives_contents_or_an_error) {
  const auto bytes = load(golden(GetParam()));
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same flips every time
  for (int i = 0; i < 1500; ++i) {
    auto flipped = bytes;
    const size_t bit = random() % (flipped.size() * 8);
    flipped[bit / 8] ^= std::byte{static_cast<uint8_t>(1U << (bit % 8))};
    SCOPED_TRACE("bit " + std::to_string(bit));
    survives(flipped);
  }
}

TEST_P(Mutation, bytes_taken_out_or_put_in_give_contents_or_an_error) {
  const auto bytes = load(golden(GetParam()));
  std::mt19937 random(2);  // NOLINT(cert-msc51-cpp)
  for (int i = 0; i < 500; ++i) {
    auto changed = bytes;
    const auto at = static_cast<ptrdiff_t>(random() % changed.size());
    const auto count = static_cast<ptrdiff_t>(
        std::min<size_t>(random() % 16 + 1, changed.size() - static_cast<size_t>(at)));
    if (i % 2 == 0) {
      changed.erase(changed.begin() + at, changed.begin() + at + count);
    } else {
      changed.insert(changed.begin() + at, static_cast<size_t>(count),
                     std::byte{static_cast<uint8_t>(random())});
    }
    SCOPED_TRACE("at " + std::to_string(at));
    survives(changed);
  }
}

INSTANTIATE_TEST_SUITE_P(files, Mutation, testing::ValuesIn(kFiles));

}  // namespace
}  // namespace lanthorn
