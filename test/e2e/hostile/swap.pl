# Run as a service's account in its data folder: whatever Vestal makes there is taken away, and a link put in its place, so that whoever works
# there next writes, reads or hands over what the link leads to. What appears is let be now and then, so that commands come to their later steps
# too. `ahead` puts links there before Vestal comes; `source` exchanges what is copied. Ends when told, or after half an hour.
use strict;
use warnings;
my ($folder, $guard, $how, @names) = @ARGV;
chdir $folder or die "$folder: $!";
my $on = 1;
$SIG{TERM} = $SIG{ALRM} = sub { $on = 0 };
alarm 1800;
mkdir '.evil';
symlink $guard, ".evil/$_" for qw(wal wbl vestal-2.53.3 vestal-3.5.3 .vestal-new);
my $source = -d 'wal' ? 'wal' : 'silences';
# Many small files to copy leave time for the exchange, and the last of them is what would be planted.
if (-d 'wal') {
  for my $name ((map { sprintf '00000000.pad%03d', $_ } 0 .. 199), 'zz-planted') {
    if (open my $file, '>', "wal/$name") { print $file "planted\n" }
  }
}
my (%seen, %gone, $count);
while ($on) {
  for my $name (@names) {
    my (undef, $inode) = lstat $name;
    if (!defined $inode) {
      symlink rand() < 0.5 ? $guard : "$folder/.evil", $name if $how eq 'ahead' && !$gone{$name}++ && rand() < 0.3;
      delete $seen{$name};
      next;
    }
    delete $gone{$name};
    if (-l _) { unlink $name if rand() < 0.0005; next }
    next if ($seen{$name} // 0) == $inode;
    $seen{$name} = $inode;
    next if rand() < 0.4;
    if ($how eq 'source') {
      rename $source, '.kept' or next;
      symlink $source eq 'wal' ? $guard : "$guard/00000001", $source;
      select undef, undef, undef, 0.1 * rand();
      unlink $source if -l $source;
      rename '.kept', $source;
    } else {
      # Once a folder of the copy is there, what it is in gives way to one that has a link of that name. To another folder, only its owner
      # could move it.
      (my $place = $name) =~ s{/wal$}{};
      rename $place, $place . '.grave' . ++$count;
      symlink rand() < 0.7 ? "$folder/.evil" : $guard, $place;
    }
  }
  select undef, undef, undef, 0.0002;
}
