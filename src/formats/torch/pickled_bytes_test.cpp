#include "formats/torch/pickled_bytes.h"

#include <gtest/gtest.h>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

/// The bytes that a pickle is; "none" where it is something else.
std::string bytes_in(std::string_view pickle) {
  const auto tree = read_pickle(as_bytes(pickle));
  EXPECT_TRUE(tree.ok()) << tree.error().text();
  if (!tree) return "";
  const auto bytes = pickled_bytes(*tree, tree->root, nullptr);
  return bytes ? std::string(as_text(bytes->bytes)) : "none";
}

// What pickle.dumps of CPython writes, without the memo.
TEST(pickled_bytes, protocol_2_holds_bytes_and_bytearrays_as_text) {
  EXPECT_EQ(bytes_in("\x80\x02"
                     "c_codecs\nencode\nX\x04\0\0\0a\xc3\xbfzX\x06\0\0\0latin1\x86R."sv),
            "a\xffz");
  EXPECT_EQ(bytes_in("\x80\x02"
                     "c__builtin__\nbytearray\nX\x04\0\0\0a\xc3\xbfzX\x07\0\0\0latin-1\x86R."sv),
            "a\xffz");
  EXPECT_EQ(bytes_in("\x80\x02"
                     "c__builtin__\nbytearray\n"
                     "c_codecs\nencode\nX\x04\0\0\0a\xc3\xbfzX\x06\0\0\0latin1\x86R\x85R."sv),
            "a\xffz");
  EXPECT_EQ(bytes_in("\x80\x02"
                     "c__builtin__\nbytes\n)R."sv),
            "");
}

TEST(pickled_bytes, later_protocols_hold_them_as_they_are) {
  EXPECT_EQ(bytes_in("\x80\x03"
                     "C\x02\xff\x00."sv),
            "\xff\x00"s);
  EXPECT_EQ(bytes_in("\x80\x03"
                     "cbuiltins\nbytearray\nC\x02\xff\x00\x85R."sv),
            "\xff\x00"s);
}

TEST(pickled_bytes, other_calls_are_none) {
  EXPECT_EQ(bytes_in("\x80\x02"
                     "c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0rot13\x86R."sv),
            "none");
  EXPECT_EQ(bytes_in("\x80\x02"
                     "c_codecs\nencode\nX\x02\0\0\0\xc4\x80X\x06\0\0\0latin1\x86R."sv),
            "none");
  EXPECT_EQ(bytes_in("cos\nsystem\n(Vls\ntR."sv), "none");
}

}  // namespace
}  // namespace lanthorn
