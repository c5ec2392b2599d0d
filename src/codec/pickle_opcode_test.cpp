#include "codec/pickle_opcode.h"

#include <gtest/gtest.h>

#include "codec/byte_reader.h"
#include "codec/pickle.h"

namespace lanthorn {
namespace {

std::optional<uint64_t> end_of(std::string_view text) {
  return pickle_opcode_end(as_bytes(text), 0);
}

TEST(pickle_opcode, operands_of_every_width_are_stepped_over) {
  EXPECT_EQ(end_of("N."), 1U);
  EXPECT_EQ(end_of("K\x05."), 2U);
  EXPECT_EQ(end_of(std::string_view("M\x05\x00.", 4)), 3U);
  EXPECT_EQ(end_of("J1234."), 5U);
  EXPECT_EQ(end_of("G12345678."), 9U);
  EXPECT_EQ(end_of("I12\n."), 4U);
  EXPECT_EQ(end_of("cos\nsystem\n."), 11U);
  EXPECT_EQ(end_of(std::string_view("X\x02\x00\x00\x00"
                                    "ab.",
                                    8)),
            7U);
  EXPECT_EQ(end_of("\x8c\x02"
                   "ab."),
            4U);
}

TEST(pickle_opcode, what_passes_the_end_has_no_end) {
  EXPECT_EQ(end_of(""), std::nullopt);
  EXPECT_EQ(end_of("K"), std::nullopt);
  EXPECT_EQ(end_of("cos\nsystem"), std::nullopt);
  EXPECT_EQ(end_of("X\xff\xff\xff\xff"), std::nullopt);
  EXPECT_EQ(end_of("T\xff\xff\xff\xff"), std::nullopt);
  EXPECT_EQ(end_of("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), std::nullopt);
  EXPECT_EQ(end_of("\xff"), std::nullopt);
}

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names;
  for (const PickleGlobal& global : scan_pickle(as_bytes(text)).tree.globals) {
    names.push_back(global.module + "." + global.name);
  }
  return names;
}

TEST(pickle_scan, goes_on_behind_opcodes_that_do_not_fit) {
  const std::vector<std::string> wanted = {"posix.system"};
  EXPECT_EQ(names_in("\x80\x02K\x01K\x02R0cposix\nsystem\n."), wanted);  // a number is called
  EXPECT_EQ(names_in("\x80\x02"
                     "0cposix\nsystem\n."),
            wanted);                                              // nothing to drop
  EXPECT_EQ(names_in("\x80\x02hccposix\nsystem\n."), wanted);     // a memo entry that is not there
  EXPECT_EQ(names_in("\x80\x02}]Ns0cposix\nsystem\n."), wanted);  // a list as a key
  EXPECT_EQ(names_in("iposix\nsystem\n."), wanted);               // no mark
}

TEST(pickle_scan, ends_at_the_first_byte_that_no_reader_gets_past) {
  EXPECT_EQ(names_in("cposix\nsystem\n\xff"
                     "cnt\nsystem\n.")
                .size(),
            1U);
}

TEST(pickle_scan, keeps_the_first_error_and_its_place) {
  const PickleScan scan =
      scan_pickle(as_bytes("K\x01"
                           "0000."));
  ASSERT_TRUE(scan.error.has_value());
  EXPECT_EQ(scan.error_offset, 3U);
  EXPECT_EQ(scan.tree.root, kNoPickle);
  EXPECT_EQ(scan.tree.bytes_read, 7U);
}

TEST(pickle_scan, a_memo_slot_written_out_of_order_has_its_last_value) {
  // Slot 1 is written before slot 0 and again after it.
  const auto tree = read_pickle(as_bytes("I1\np1\nI2\np0\nI3\np1\ng1\n."));
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ((*tree)[tree->root].integer, 3);
}

TEST(pickle_scan, a_name_that_is_a_value_of_another_global_is_computed) {
  const PickleScan scan =
      scan_pickle(as_bytes("\x80\x04"
                           "cos\nname\n\x8c\x06system\x93."));
  ASSERT_EQ(scan.tree.globals.size(), 2U);
  EXPECT_TRUE(scan.tree.globals[1].computed);
}

TEST(pickle_scan, a_class_that_is_given_a_state_is_changed) {
  const auto tree = read_pickle(as_bytes("ccollections\nOrderedDict\n}b."));
  ASSERT_TRUE(tree.ok());
  EXPECT_TRUE(tree->globals[0].changed);
}

}  // namespace
}  // namespace lanthorn
