#include "codec/sha256.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace lanthorn {
namespace {

std::string hex_of(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text))); }

// The first two are examples of FIPS 180-4; the others, at the borders of blocks, are Python's hashlib's.
TEST(sha256, texts_get_the_digests_of_the_standard) {
  EXPECT_EQ(hex_of(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(std::string(55, 'a')),
            "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  EXPECT_EQ(hex_of(std::string(56, 'a')),
            "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  EXPECT_EQ(hex_of(std::string(64, 'a')),
            "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
  EXPECT_EQ(hex_of(std::string(1000, 'a')),
            "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

TEST(sha256, pieces_of_any_size_give_the_digest_of_the_whole) {
  const std::string text(1000, 'a');
  const auto bytes = std::as_bytes(std::span(text));
  for (const size_t piece : {1, 63, 64, 65, 129, 999}) {
    Sha256 digest;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      digest.add(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    }
    EXPECT_EQ(digest.hex(), sha256_hex(bytes)) << piece;
  }
}

}  // namespace
}  // namespace lanthorn
