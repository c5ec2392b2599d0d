#include "codec/pickle.h"

#include <gtest/gtest.h>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

Result<PickleTree> read(const std::string& text, const PickleLimits& limits = {}) {
  return read_pickle(as_bytes(text), limits);
}

/// The root of a pickle that must be good.
PickleNode root_of(const std::string& text) {
  const auto tree = read(text);
  EXPECT_TRUE(tree.ok()) << tree.error().text();
  return tree.ok() ? (*tree)[tree->root] : PickleNode();
}

void expect_error(const std::string& text, std::string_view sentence,
                  ErrorCode code = ErrorCode::kCorrupt) {
  const auto tree = read(text);
  ASSERT_FALSE(tree.ok()) << sentence;
  EXPECT_EQ(tree.error().code, code);
  EXPECT_NE(tree.error().message.find(sentence), std::string::npos) << tree.error().message;
}

TEST(pickle, numbers_of_all_opcodes_have_their_values) {
  EXPECT_EQ(root_of("K\x05.").integer, 5);
  EXPECT_EQ(root_of(bytes({'M', 0x34, 0x12, '.'})).integer, 0x1234);
  EXPECT_EQ(root_of(bytes({'J', 0xfe, 0xff, 0xff, 0xff, '.'})).integer, -2);
  EXPECT_EQ(root_of("I-17\n.").integer, -17);
  EXPECT_EQ(root_of("L99L\n.").integer, 99);
  EXPECT_EQ(root_of(bytes({0x8a, 0, '.'})).integer, 0);
  EXPECT_EQ(root_of(bytes({0x8a, 1, 0xff, '.'})).integer, -1);
  EXPECT_EQ(root_of(bytes({0x8a, 2, 0xff, 0x00, '.'})).integer, 255);
  EXPECT_EQ(root_of(bytes({'G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, '.'})).real, 1.5);
  EXPECT_EQ(root_of("F-2.5e3\n.").real, -2500);
  EXPECT_TRUE(root_of("I01\n.").flag);
  EXPECT_TRUE(root_of(bytes({0x88, '.'})).flag);
  EXPECT_EQ(root_of("N.").kind, Kind::kNone);
}

TEST(pickle, numbers_beyond_64_bits_keep_their_digits) {
  // The magic number of torch.save: 0x1950a86a20f9469cfc6c.
  EXPECT_EQ(
      root_of(bytes({0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'}))
          .text,
      "119547037146038801333356");
  // -(2 ** 64)
  EXPECT_EQ(root_of(bytes({0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, '.'})).text,
            "-18446744073709551616");
  EXPECT_EQ(
      root_of(bytes({0x8a, 9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, '.'})).integer,
      INT64_MAX);
  EXPECT_EQ(root_of("L-0018446744073709551616L\n.").text, "-18446744073709551616");
}

TEST(pickle, text_of_all_opcodes_becomes_utf8) {
  EXPECT_EQ(root_of("X\x02" + bytes({0, 0, 0}) + "hi.").text, "hi");
  EXPECT_EQ(root_of(bytes({0x8c, 2}) + "ä.").text, "ä");
  EXPECT_EQ(root_of("S'a\\x41\\n\\'\\101'\n.").text, "aA\n'A");
  EXPECT_EQ(root_of("V\\u00e4\\U0001F600\xe4\n.").text, "ä😀ä");
  EXPECT_EQ(root_of("U\x02\xff\xfe.").kind, Kind::kBytes);
  EXPECT_EQ(root_of("C\x02\xff\xfe.").text, "\xff\xfe");
  expect_error(bytes({0x8c, 1, 0xff, '.'}), "not UTF-8");
}

TEST(pickle, containers_are_filled_after_they_are_remembered) {
  // A list that holds itself.
  const auto tree = read("]q" + bytes({0}) + "h" + bytes({0}) + "a.");
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ((*tree)[tree->root].items, std::vector<PickleId>{tree->root});
  EXPECT_EQ(root_of("(K\x01K\x02K\x03t.").items.size(), 3U);
  EXPECT_EQ(root_of("}(K\x01K\x02K\x03K\x04u.").entries.size(), 4U);
  EXPECT_EQ(root_of(bytes({0x8f, '(', 'K', 1, 0x90, '.'})).items.size(), 1U);
}

TEST(pickle, calls_are_recorded_and_never_made) {
  const auto tree = read("cposix\nsystem\n(S'echo'\ntR.");
  ASSERT_TRUE(tree.ok());
  const PickleNode& call = (*tree)[tree->root];
  EXPECT_EQ(call.kind, Kind::kCall);
  EXPECT_EQ((*tree)[call.callee].text, "posix.system");
  ASSERT_EQ(tree->globals.size(), 1U);
  EXPECT_EQ(tree->globals[0].module, "posix");
  EXPECT_TRUE(tree->globals[0].called);
  EXPECT_EQ(tree->globals[0].offset, 0U);
}

TEST(pickle, every_way_to_make_an_object_is_a_call) {
  const std::vector<std::string> kWays = {"cm\nC\n)\x81.", "(im\nC\n.", "(cm\nC\no.",
                                          "cm\nC\n)}\x92.",
                                          bytes({0x8c, 1, 'm', 0x8c, 1, 'C', 0x93, ')', 'R', '.'})};
  for (const std::string& text : kWays) {
    const auto tree = read(text);
    ASSERT_TRUE(tree.ok()) << tree.error().text();
    EXPECT_EQ((*tree)[tree->root].kind, Kind::kCall);
    EXPECT_EQ(tree->globals[0].name, "C");
  }
}

TEST(pickle, an_extension_and_a_computed_name_are_globals_for_a_scanner) {
  const auto extension = read(bytes({0x82, 7, '.'}));
  ASSERT_TRUE(extension.ok());
  EXPECT_TRUE(extension->globals[0].computed);
  const auto computed = read("cm\nf\n)R" + bytes({0x8c, 1, 'x', 0x93, '.'}));
  ASSERT_TRUE(computed.ok());
  EXPECT_TRUE(computed->globals[1].computed);
}

TEST(pickle, what_the_unpickler_refuses_is_refused) {
  expect_error("", "without STOP");
  expect_error("0", "stack is empty");
  expect_error("K\x01" + bytes({0x87, '.'}), "needs more values");
  expect_error("h" + bytes({5}), "memo entry 5");
  expect_error("]]K\x01s.", "entry is set in a list");
  expect_error("}]K\x01s.", "cannot hash");
  expect_error("NNb.", "state is given to None");
  expect_error("K\x01)R.", "called as if");
  expect_error("cm\nf\n]R.", "not a tuple");
  expect_error(
      "N(K\x01"
      "e.",
      "appended to None");
  expect_error(
      "(K\x01"
      "d.",
      "without a value");
  expect_error(bytes({0x80, 6, '.'}), "protocol 6");
  expect_error(bytes({0xff}), "no opcode 0xff");
  expect_error("T" + bytes({0xff, 0xff, 0xff, 0xff}), "negative length");
  expect_error("X" + bytes({0xff, 0xff, 0xff, 0xff}) + "abc", "4294967295 bytes are announced");
  expect_error("Fabc\n.", "no value of its kind");
  expect_error("Sabc\n.", "no value of its kind");
  expect_error("I12", "no end");
  expect_error("t.", "needs a mark");
}

TEST(pickle, an_error_says_the_byte) {
  const auto tree = read_pickle(as_bytes("]]K\x01s."), {}, 100);
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.error().where, "byte 104");
}

TEST(pickle, budgets_are_kept) {
  std::string deep(5000, ']');
  deep += std::string(4999, 'a') + ".";
  expect_error(deep, "more than 1000 deep", ErrorCode::kLimit);
  EXPECT_EQ(read(std::string(2000, ']') + ".", {.max_nodes = 1000}).error().code,
            ErrorCode::kLimit);
  EXPECT_EQ(read(std::string(2000, ']') + ".", {.max_bytes = 100'000}).error().code,
            ErrorCode::kLimit);
  EXPECT_EQ(read("N" + std::string(100'000, '2') + ".", {.max_bytes = 100'000}).error().code,
            ErrorCode::kLimit);
}

TEST(pickle, a_scanner_sees_what_comes_before_the_break) {
  const PickleScan scan = scan_pickle(as_bytes("cposix\nsystem\n(S'echo'\ntR\xff"));
  ASSERT_TRUE(scan.error);
  ASSERT_EQ(scan.tree.globals.size(), 1U);
  EXPECT_EQ(scan.tree.globals[0].name, "system");
}

TEST(pickle, long_bytes_stay_in_the_input) {
  const std::string text = "B" + bytes({0, 0x20, 0, 0}) + std::string(8192, 'x') + ".";
  const auto tree = read(text);
  ASSERT_TRUE(tree.ok());
  const PickleNode& node = (*tree)[tree->root];
  EXPECT_TRUE(node.text.empty());
  EXPECT_EQ(as_text(node.bytes()).data(), text.data() + 5);
}

}  // namespace
}  // namespace lanthorn
